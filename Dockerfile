# The current LTS. For a build that is the same next month, name the image by its digest as well.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build

FROM ${NODE_IMAGE}
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8000 DATA_DIR=/data
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force
COPY --from=build /app/dist dist
COPY migrations migrations
# A volume that is made from here belongs to the user below, and is read by nobody else.
RUN mkdir --mode=0700 /data && chown node:node /data
VOLUME /data
# The user node by its number: an orchestrator that insists on another than root cannot look names up.
USER 1000:1000
EXPOSE 8000
# Whether the process lives. Whether it should be sent traffic is what /readyz says, for a load balancer: a node whose Redis
# is away goes on serving its sockets, and is not to be ended for it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "--eval", "fetch('http://127.0.0.1:' + process.env.PORT + '/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Without a shell or npm in between: SIGTERM reaches the server, which then closes its sockets in good order. It writes to
# /data alone; the root may be read-only.
CMD ["node", "--max-semi-space-size=64", "dist/server/main.js"]
