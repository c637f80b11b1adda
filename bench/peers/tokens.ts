import { createSecretKey } from "node:crypto";
import { jwtVerify } from "jose";

/** Resolves with the user's name. Rejects when the token is not a valid HS256 one, or names nobody. */
export type VerifyToken = (token: string) => Promise<string>;

/** `secret`: what signs the tokens. */
export function createVerifier(secret: string): VerifyToken {
  const key = createSecretKey(secret, "utf8");
  return async (token) => {
    const { payload } = await jwtVerify(token, key, { algorithms: ["HS256"] });
    const name = payload.username ?? payload.sub;
    if (typeof name !== "string") throw new Error("the token names nobody");
    return name;
  };
}
