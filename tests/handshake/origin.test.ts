import { expect, it } from "vitest";
import { Communicator } from "../support/communicator.ts";
import { describeOnBoth, tokenFor } from "../support/stack.ts";

const PATH = "/ws/notifications/";

describeOnBoth("without ALLOWED_ORIGINS", {}, (stack) => {
  const connect = async (origin: string) =>
    Communicator.connect(`${stack().nodes[0]?.sockets}${PATH}`, await tokenFor("alice"), { origin });

  it("the server's own origin may open sockets", async () => {
    const alice = await connect(stack().nodes[0]?.http ?? "");
    expect(await alice.receive()).toEqual({ type: "unread_count", unread_count: 0 });
    await alice.close();
  });

  it.each(["https://elsewhere.example", "null", "http://127.0.0.1:1", "no origin"])(
    "the origin %s is refused with 403",
    async (origin) => {
      const body = { error: { code: "forbidden", message: expect.stringContaining("origin") } };
      await expect(connect(origin)).rejects.toMatchObject({ status: 403, body });
    },
  );

  it("is said before the token is looked at", async () => {
    const headers = { origin: "https://elsewhere.example" };
    const refused = Communicator.connect(`${stack().nodes[0]?.sockets}${PATH}`, null, headers);
    await expect(refused).rejects.toMatchObject({ status: 403 });
  });
});

describeOnBoth("with ALLOWED_ORIGINS", { settings: { ALLOWED_ORIGINS: "https://app.example" } }, (stack) => {
  const connect = async (origin: string) =>
    Communicator.connect(`${stack().nodes[0]?.sockets}${PATH}`, await tokenFor("alice"), { origin });

  it("those listed may open sockets", async () => {
    const alice = await connect("https://app.example");
    expect(await alice.receive()).toEqual({ type: "unread_count", unread_count: 0 });
    await alice.close();
  });

  it("and no others, not the server's own either", async () => {
    await expect(connect(stack().nodes[0]?.http ?? "")).rejects.toMatchObject({ status: 403 });
    await expect(connect("http://app.example")).rejects.toMatchObject({ status: 403 });
  });
});
