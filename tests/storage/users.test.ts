import { v7 as newId } from "uuid";
import { expect, test } from "vitest";
import { describeStorage, introduce, openGroup, profileOf } from "../support/storage.ts";

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

  test("a username is no conversation's id, and no group's id a username", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const group = await openGroup(store, alice);
    const { conversation: direct } = await store.openDirect(alice.id, bob.id);
    for (const username of [group, direct.id]) {
      expect(await store.putUser({ ...profileOf("new"), username })).toBe("taken");
      expect(await store.putUser({ ...bob, username })).toBe("taken");
    }
    const named = { name: "", imageUrl: null, creatorId: alice.id, memberIds: [alice.id] };
    expect(await store.createGroup({ ...named, id: bob.username })).toBe("taken");
    expect(await store.conversation(bob.username, alice.id)).toBeNull();
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

  test("of a user and a group who race to a name, one has it", async () => {
    const { store } = storage();
    const { store: other } = await storage().otherNode();
    const [creator] = await introduce(store, "creator");
    for (let round = 0; round < 20; round += 1) {
      const name = newId();
      const group = { id: name, name: "", imageUrl: null, creatorId: creator.id, memberIds: [creator.id] };
      const [user, conversation] = await Promise.all([
        store.putUser({ ...profileOf("new"), username: name }),
        other.createGroup(group),
      ]);
      expect([user === "stored", conversation !== "taken"].filter(Boolean)).toHaveLength(1);
      expect((await store.userByName(name)) !== null).toBe(user === "stored");
      expect((await store.conversation(name, creator.id)) !== null).toBe(conversation !== "taken");
    }
  });

  test("are found by id or name, and an id wins", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    // Somebody whose username is Alice's id.
    const impostor = { ...profileOf("impostor"), username: alice.id };
    await store.putUser(impostor);
    const asked = [alice.id, bob.username, bob.id, impostor.id, "nobody"];
    expect(await store.usersByIdOrName(asked)).toEqual([
      { asked: alice.id, profile: alice },
      { asked: bob.username, profile: bob },
      { asked: bob.id, profile: bob },
      { asked: impostor.id, profile: impostor },
    ]);
    expect(await store.usersByIdOrName([])).toEqual([]);
  });

  test("the search finds parts of usernames and names in any case, takes nothing for a pattern, and is by username", async () => {
    const { store } = storage();
    const word = newId().replaceAll("-", "");
    const people = [
      { ...profileOf("c"), username: `c.${word}` },
      { ...profileOf("b"), username: `b.${newId()}`, name: `Ms ${word.toUpperCase()} 100%_\\` },
      { ...profileOf("a"), username: `${word}.a` },
    ];
    for (const person of people) await store.putUser(person);
    const usernames = async (text: string, limit = 10) =>
      (await store.searchUsers(text, limit)).map((profile) => profile.username);
    const inOrder = people.map((person) => person.username).sort();
    expect(new Set(await usernames(word))).toEqual(new Set(inOrder));
    expect(await usernames(word, 2)).toEqual((await usernames(word)).slice(0, 2));
    expect(await usernames(`${word.toUpperCase()} 100%_\\`)).toEqual([people[1]?.username]);
    for (const pattern of [
      `${word.slice(0, 4)}%${word.slice(6)}`,
      `${word.slice(0, 4)}_${word.slice(5)}`,
      `\\${word}`,
    ]) {
      expect(await usernames(pattern)).toEqual([]);
    }
  });
});
