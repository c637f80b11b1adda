import { v7 as newId } from "uuid";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Profile } from "../../server/core/model.ts";
import { type Claims, Users } from "../../server/core/users.ts";
import { introduce, openEmbedded, profileOf, type Storage } from "../support/storage.ts";

let storage: Storage;
let users: Users;
beforeAll(async () => {
  storage = await openEmbedded();
  users = new Users(storage.store, (text) => /^[\w.@+-]+$/.test(text));
});
afterAll(() => storage?.close());

describe("who claims are said of", () => {
  test.each<[Omit<Claims, "id">, Partial<Profile>]>([
    [{ firstName: "Ann" }, { name: "Ann", firstName: "Ann" }],
    [{ lastName: "Lee" }, { name: "Lee", lastName: "Lee" }],
    [
      { firstName: "Ann", lastName: "Lee" },
      { name: "Ann Lee", firstName: "Ann", lastName: "Lee" },
    ],
    [
      { firstName: "Ann", name: "A." },
      { name: "A.", firstName: "Ann" },
    ],
    [
      { name: "A.", avatar: "https://a.example/a" },
      { name: "A.", avatar: "https://a.example/a" },
    ],
  ])("is stored at first sight, named by what there is: %j", async (claims, expected) => {
    const { id, username } = profileOf("ann");
    const profile = await users.identify({ id, username, ...claims });
    expect(profile).toEqual({ id, username, firstName: "", lastName: "", avatar: null, ...expected });
    expect(await users.user(id)).toEqual(profile);
  });

  test("is named by their username, and that by their id, when there is nothing else", async () => {
    const nameless = { firstName: "", lastName: "", avatar: null };
    const { id, username } = profileOf("ann");
    expect(await users.identify({ id, username })).toEqual({ id, username, name: username, ...nameless });
    const other = newId();
    expect(await users.identify({ id: other })).toEqual({ id: other, username: other, name: other, ...nameless });
  });

  test("keeps what is left out, and takes what is new", async () => {
    const stored = profileOf("ann", { firstName: "Ann", lastName: "Lee", avatar: "https://a.example/a" });
    await storage.store.putUser(stored);
    const { id } = stored;
    expect(await users.identify({ id })).toEqual(stored);
    expect(await users.identify({ id, lastName: "Smith" })).toEqual({ ...stored, lastName: "Smith" });
    expect(await users.identify({ id, avatar: null })).toEqual({ ...stored, lastName: "Smith", avatar: null });
    const renamed = `new.${id}`;
    const last = { ...stored, lastName: "Smith", avatar: null, username: renamed };
    expect(await users.identify({ id, username: renamed })).toEqual(last);
    expect(await users.identify({ id })).toEqual(last);
    expect(await storage.store.user(id)).toEqual(last);
  });

  test("is not written again when nothing is new", async () => {
    const [ann] = await introduce(storage.store, "ann");
    const putUser = vi.fn(storage.store.putUser);
    const watched = new Users({ ...storage.store, user: storage.store.user, putUser }, () => true);
    expect(await watched.identify({ id: ann.id, username: ann.username, name: ann.name })).toEqual(ann);
    expect(putUser).not.toHaveBeenCalled();
    await watched.identify({ id: ann.id, name: "new" });
    expect(putUser).toHaveBeenCalledOnce();
  });

  test("conflicts with another's username and with a conversation's id, and stays unknown", async () => {
    const [ann] = await introduce(storage.store, "ann");
    const { conversation } = await storage.store.openDirect(ann.id, ann.id);
    for (const username of [ann.username, conversation.id]) {
      const id = newId();
      await expect(users.identify({ id, username })).rejects.toMatchObject({ name: "Refusal", code: "conflict" });
      expect(await users.user(id)).toBeNull();
    }
  });

  test("needs a username when the id cannot be one", async () => {
    const id = `${newId()} with spaces`;
    await expect(users.identify({ id })).rejects.toMatchObject({ code: "invalid_frame" });
    await expect(users.identify({ id, username: "not one" })).rejects.toMatchObject({ code: "invalid_frame" });
    const username = `one.${newId()}`;
    expect(await users.identify({ id, username })).toMatchObject({ username });
    // From then on the id alone says who it is.
    expect(await users.identify({ id })).toMatchObject({ username });
  });
});
