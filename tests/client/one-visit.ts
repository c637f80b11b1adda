/**
 * A program of its own: opens what there is to open, in every state that a connection can be closed in, closes all of it, and
 * has then nothing more to do. `process.argv`: the server's URL, one where nobody listens, a token.
 */
import { WebSocket } from "ws";
import {
  connectConversationNotifications,
  connectEvents,
  connectNotifications,
  connectRoom,
  createApi,
} from "../../client/index.ts";

const [, , url = "", nowhere = "", token = ""] = process.argv;
const options = { url, getToken: () => token, WebSocket };

const room = connectRoom("somebody", options);
const events = connectEvents("/rooms", options);
const open = [room, events, connectNotifications(options), connectConversationNotifications("somebody", options)];
const [{ message }] = await Promise.all([
  room.send("hello"),
  events.send("connectRooms", {}),
  createApi(options).me(),
  // An iteration that goes on until the room is closed.
  (async () => {
    for await (const frame of room) if (frame.type === "chat_message") break;
  })(),
]);
console.log(`sent ${message}`);

const waiting = connectRoom("somebody", { ...options, url: nowhere });
await new Promise<void>((resolve) => {
  waiting.onState(({ name }) => {
    if (name === "waiting") resolve();
  });
});
const connecting = connectRoom("somebody", options);
const notBegun = connectEvents("/chat", options);

for (const connection of [...open, waiting, connecting, notBegun]) connection.close();
console.log("closed");
