import type { Socket } from "node:net";

/**
 * Resolves when the kernel has taken all that was written, when the socket is gone, or when nothing was taken for so many
 * milliseconds. A socket that holds less than its own bound is as good as one that holds nothing.
 */
export async function taken(socket: Socket, deadline: number): Promise<"taken" | "not taken"> {
  if (!socket.writableNeedDrain) return "taken";
  return new Promise((resolve) => {
    const end = (how: "taken" | "not taken") => {
      clearTimeout(timer);
      socket.off("drain", done).off("close", done);
      resolve(how);
    };
    const done = () => end("taken");
    const timer = setTimeout(() => end("not taken"), deadline).unref();
    socket.on("drain", done).on("close", done);
  });
}
