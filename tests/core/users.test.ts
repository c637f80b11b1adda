import { sql } from "drizzle-orm";
import { v7 as newId } from "uuid";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Profile } from "../../server/core/model.ts";
import { type Claims, Users } from "../../server/core/users.ts";
import { introduce, openEmbedded, profileOf, query, type Storage } from "../support/storage.ts";

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

  test("[AUTH-6] conflicts with another's username and id, and stays unknown", async () => {
    const [ann] = await introduce(storage.store, "ann");
    for (const username of [ann.username, ann.id]) {
      const id = newId();
      await expect(users.identify({ id, username })).rejects.toMatchObject({ name: "Refusal", code: "conflict" });
      expect(await users.user(id)).toBeNull();
    }
    // A new user's id is nobody's username.
    await expect(users.identify({ id: ann.username, username: newId() })).rejects.toMatchObject({ code: "conflict" });
    const [bob] = await introduce(storage.store, "bob");
    await expect(users.identify({ id: bob.id, username: ann.id })).rejects.toMatchObject({ code: "conflict" });
    expect(await users.user(bob.id)).toEqual(bob);
  });

  test("[AUTH-6] a name is free again when its holder is renamed", async () => {
    const [holder] = await introduce(storage.store, "holder");
    const id = holder.username;
    await expect(users.identify({ id })).rejects.toMatchObject({ code: "conflict" });
    await users.identify({ id: holder.id, username: newId() });
    expect(await users.identify({ id })).toMatchObject({ id, username: id });
  });

  test("[AUTH-6] both forms of Unicode are one name, and one person's", async () => {
    const lenient = new Users(storage.store, () => true);
    const id = newId();
    const name = `réne-${id}`;
    expect(await lenient.identify({ id, username: name.normalize("NFD") })).toMatchObject({ username: name });
    expect(await lenient.identify({ id, username: name.normalize("NFC") })).toMatchObject({ username: name });
    for (const claims of [
      { id: newId(), username: name.normalize("NFD") },
      { id: name.normalize("NFD"), username: newId() },
    ]) {
      await expect(lenient.identify(claims)).rejects.toMatchObject({ code: "conflict" });
    }
  });

  test("[AUTH-6] who has a name that nobody may take any more keeps it", async () => {
    const strict = new Users(storage.store, () => false);
    const [old] = await introduce(storage.store, "old");
    await query(storage, sql`update users set name = ${"\u200b"} where id = ${old.id}`);
    const claims = { id: old.id, username: old.username, name: "\u200b" };
    expect(await strict.identify(claims)).toEqual({ ...old, name: "\u200b" });
    expect(await strict.identify({ ...claims, lastName: "Lee" })).toMatchObject({ username: old.username });
    await expect(strict.identify({ ...claims, username: newId() })).rejects.toMatchObject({ code: "invalid_frame" });
  });

  test.each(["\u200b", "a\u202eb", "a\u0000b", "\u3164"])("[AUTH-9] has no name such as %j", async (name) => {
    for (const field of ["name", "firstName", "lastName"]) {
      const refused = expect.objectContaining({ name: "Refusal", code: "invalid_frame" });
      await expect(users.identify({ id: newId(), [field]: name })).rejects.toEqual(refused);
    }
  });

  test("has names without blanks around them; blanks alone say nothing", async () => {
    const id = newId();
    const profile = await users.identify({ id, name: "  ", firstName: " Ann ", lastName: "Le\u0301" });
    expect(profile).toMatchObject({ name: "Ann Lé", firstName: "Ann", lastName: "Lé" });
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
