import { sql } from "drizzle-orm";
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";
import { describeStorage, introduce, profileOf, query } from "../support/storage.ts";

describeStorage("users", (storage) => {
  test("are found by id and by username, as they were put", async () => {
    const { store } = storage();
    const alice = profileOf("alice", {
      name: "Alice ✨",
      firstName: "Alice",
      lastName: "Ås",
      avatar: "https://a.example/a",
    });
    expect(await store.user(alice.id)).toBeNull();
    expect(await store.userByName(alice.username)).toBeNull();
    expect(await store.putUser(alice)).toBe("stored");
    expect(await store.user(alice.id)).toEqual(alice);
    expect(await store.userByName(alice.username)).toEqual(alice);
    expect(await store.user(alice.username)).toBeNull();
    expect(await store.userByName(alice.id)).toBeNull();
  });

  test("a profile put again is the new one; a name given up is free", async () => {
    const { store } = storage();
    const [alice] = await introduce(store, "alice");
    const renamed = { ...alice, username: `${alice.username}.new`, name: "A", avatar: null };
    expect(await store.putUser(renamed)).toBe("stored");
    expect(await store.user(alice.id)).toEqual(renamed);
    expect(await store.userByName(alice.username)).toBeNull();
    expect(await store.putUser({ ...profileOf("heir"), username: alice.username })).toBe("stored");
  });

  test("a username is one user's; who comes too late changes nothing", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    expect(await store.putUser({ ...profileOf("new"), username: alice.username })).toBe("taken");
    expect(await store.putUser({ ...bob, username: alice.username, name: "changed" })).toBe("taken");
    expect(await store.user(bob.id)).toEqual(bob);
    expect(await store.userByName(alice.username)).toEqual(alice);
  });

  test("usernames are told apart by case", async () => {
    const { store } = storage();
    const [alice] = await introduce(store, "alice");
    expect(await store.putUser({ ...profileOf("other"), username: alice.username.toUpperCase() })).toBe("stored");
  });

  test("a conversation's id keeps nobody from a name, and no group takes a person's", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const id = newId();
    const named = { name: "", imageUrl: null, creatorId: alice.id, memberIds: [alice.id] };
    expect(await store.createGroup({ ...named, id })).toMatchObject({ id, idChosen: true });
    expect(await store.putUser({ ...profileOf("new"), username: id })).toBe("stored");
    expect(await store.createGroup({ ...named, id: bob.username })).toMatchObject({ idChosen: false });
    expect(await store.conversation(bob.username, alice.id)).toBeNull();
  });

  test("[AUTH-6] nobody's username is another's id, whoever comes first", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    expect(await store.putUser({ ...profileOf("new"), username: alice.id })).toBe("taken");
    expect(await store.putUser({ ...bob, username: alice.id })).toBe("taken");
    expect(await store.putUser({ ...profileOf("new"), id: alice.username })).toBe("taken");
    expect(await store.user(alice.username)).toBeNull();
    // One's own is nobody else's.
    expect(await store.putUser({ ...alice, username: alice.id })).toBe("stored");
  });

  test("[AUTH-6] of a username and an id who race to be the same, one is", async () => {
    const { store } = storage();
    const { store: other } = await storage().otherNode();
    for (let round = 0; round < 20; round += 1) {
      const word = newId();
      const [named, identified] = [
        { ...profileOf("named"), username: word },
        { ...profileOf("identified"), id: word },
      ];
      const outcomes = await Promise.all([store.putUser(named), other.putUser(identified)]);
      expect(outcomes.toSorted()).toEqual(["stored", "taken"]);
      expect((await store.user(word)) !== null).toBe(outcomes[1] === "stored");
    }
  });

  test("of many who race to a name, one has it", async () => {
    const { store } = storage();
    const { store: other } = await storage().otherNode();
    const username = `race.${newId()}`;
    const runners = Array.from({ length: 20 }, (_, index) => ({ ...profileOf(`runner${index}`), username }));
    const outcomes = await Promise.all(runners.map((runner, index) => (index % 2 ? store : other).putUser(runner)));
    expect(outcomes.filter((outcome) => outcome === "stored")).toHaveLength(1);
    expect(await store.userByName(username)).toEqual(runners[outcomes.indexOf("stored")]);
  });

  test("the same new user from many sockets at once is stored by each", async () => {
    const { store } = storage();
    const { store: other } = await storage().otherNode();
    const alice = profileOf("alice");
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? store : other).putUser(alice)),
    );
    expect(new Set(outcomes)).toEqual(new Set(["stored"]));
  });

  test("are found by id or name, and an id wins", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    // Somebody whose username is Alice's id, as it once could be.
    const impostor = { ...profileOf("impostor"), username: alice.id };
    await query(
      storage(),
      sql`insert into users (id, username, name, first_name, last_name)
        values (${impostor.id}, ${impostor.username}, ${impostor.name}, '', '')`,
    );
    const asked = [alice.id, bob.username, bob.id, impostor.id, "nobody"];
    expect(await store.usersByIdOrName(asked)).toEqual([
      { asked: alice.id, profile: alice },
      { asked: bob.username, profile: bob },
      { asked: bob.id, profile: bob },
      { asked: impostor.id, profile: impostor },
    ]);
    expect(await store.usersByIdOrName([])).toEqual([]);
  });
});
