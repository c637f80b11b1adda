/** What is read and managed over HTTP, through the library. */
import { expect, test } from "vitest";
import { type ConversationPage, createApi, developmentToken, type MessagePage } from "../../client/index.ts";
import { describeOnBoth, tokenFor } from "../support/stack.ts";
import { as, generous, people, urlOf } from "./clients.ts";

describeOnBoth("the API through the library", { settings: generous }, (stack) => {
  test("me is the user of the token, and users finds people", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(bob);
    const api = apiOf(alice);
    expect(await api.me()).toMatchObject({ id: alice, username: alice });
    const { results } = await api.users({ search: bob, limit: 5 });
    expect(results.map(({ username }) => username)).toEqual([bob]);
  });

  test("a group is made, changed, filled, emptied and left", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    await stack().introduce(bob, carol);
    const api = apiOf(alice);
    const { id, ...group } = await api.createGroup({ name: "Plans", members: [bob] });
    expect(group).toMatchObject({ type: "group", name: "Plans", creator_id: alice, members_count: 2 });
    expect(await api.updateGroup(id, { name: "Old plans", image_url: "plans.png" })).toMatchObject({
      name: "Old plans",
      image_url: "plans.png",
    });
    expect(await api.addMembers(id, [bob, carol])).toMatchObject({ added: [{ username: carol }] });
    expect(await api.removeMember(id, bob)).toBeUndefined();
    expect((await api.conversation(id)).members.map(({ username }) => username)).toEqual([alice, carol]);
    await apiOf(carol).removeMember(id, carol);
    expect(await api.conversation(id)).toMatchObject({ members_count: 1 });
    await expect(apiOf(carol).conversation(id)).rejects.toMatchObject({ code: "not_found" });
  });

  test("conversations come page by page, the newest first, each once", async () => {
    const [alice] = people("alice");
    const api = apiOf(alice);
    const made: string[] = [];
    for (const name of ["1", "2", "3", "4", "5"]) made.push((await api.createGroup({ name, members: [] })).id);
    const found: string[] = [];
    let page = await api.conversations({ limit: 2 });
    found.push(...page.results.map(({ id }) => id));
    while (page.next !== null) {
      page = await api.page<ConversationPage>(page.next);
      found.push(...page.results.map(({ id }) => id));
    }
    expect(found).toEqual(made.reverse());
  });

  test("messages come page by page in both directions, also of a room whose name needs encoding", async () => {
    const [alice, other] = people("alice", "o+ther@example");
    await stack().introduce(other);
    const texts = ["1", "2", "3", "4", "5"];
    for (const message of texts) {
      await stack().request(alice, "POST", `/api/rooms/${encodeURIComponent(other)}/messages`, { message });
    }
    const api = apiOf(alice);
    const newest = await api.messages(other, { limit: 2 });
    expect(textsOf(newest)).toEqual(["5", "4"]);
    const older = await api.page<MessagePage>(newest.next ?? "");
    expect(textsOf(older)).toEqual(["3", "2"]);
    expect(textsOf(await api.page<MessagePage>(older.previous ?? ""))).toEqual(["5", "4"]);
    expect(textsOf(await api.messages(other, { after: 1, before: 4 }))).toEqual(["3", "2"]);
    expect(textsOf(await api.messages(other, { pinned: true }))).toEqual([]);
  });

  test("a refusal is a ParleyError with the server's code", async () => {
    const [alice] = people("alice");
    const api = apiOf(alice);
    await expect(api.conversation("not-there")).rejects.toMatchObject({ name: "ParleyError", code: "not_found" });
    await expect(api.users({ limit: 0 })).rejects.toMatchObject({ code: "invalid_frame" });
    await api.createGroup({ name: "mine", members: [], id: `${alice}-group` });
    await expect(api.createGroup({ name: "mine", members: [], id: `${alice}-group` })).rejects.toMatchObject({
      code: "conflict",
    });
    await expect(developmentToken(alice, { url: url() })).rejects.toMatchObject({ code: "not_found" });
  });

  test("a token that is refused is asked for anew, once", async () => {
    const [alice] = people("alice");
    const asked: boolean[] = [];
    const answering =
      (fresh: string) =>
      ({ refresh }: { refresh: boolean }) => {
        asked.push(refresh);
        return refresh ? fresh : "stale";
      };
    const api = createApi({ url: url(), getToken: answering(await tokenFor(alice)) });
    expect(await api.me()).toMatchObject({ id: alice });
    const never = createApi({ url: url(), getToken: answering("never good") });
    await expect(never.me()).rejects.toMatchObject({ code: "unauthorized" });
    expect(asked).toEqual([false, true, false, true]);
  });

  test("a server that is not there is unavailable, and what is aborted is rejected with the abort's reason", async () => {
    const [alice] = people("alice");
    const gone = await stack().startNode();
    await gone.server.close();
    await expect(createApi({ ...as(alice, gone.http) }).me()).rejects.toMatchObject({ code: "unavailable" });
    const reason = new Error("not wanted any more");
    const aborted = createApi({ ...as(alice, url()), signal: AbortSignal.abort(reason) });
    await expect(aborted.me()).rejects.toBe(reason);
  });

  test("a server behind a path is found there", async () => {
    const [alice] = people("alice");
    const paths: string[] = [];
    const fetchAtRoot: typeof fetch = (input, init) => {
      const { pathname } = new URL(String(input));
      paths.push(pathname);
      return fetch(new URL(pathname.replace("/behind", ""), url()), init);
    };
    const api = createApi({ ...as(alice, `${url()}/behind/`), fetch: fetchAtRoot });
    expect(await api.me()).toMatchObject({ id: alice });
    expect(paths).toEqual(["/behind/api/me"]);
  });

  function url(): string {
    return urlOf(stack());
  }

  function apiOf(username: string) {
    return createApi(as(username, url()));
  }
});

function textsOf({ messages }: MessagePage): string[] {
  return messages.map(({ content }) => content);
}
