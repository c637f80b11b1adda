import { sql } from "drizzle-orm";
import { v7 as newId } from "uuid";
import { describe, expect, test } from "vitest";
import { rowsOf } from "../../db/client.ts";
import { searchStatement } from "../../db/user-search.ts";
import { describeStorage, introduce, openGroup, profileOf, query, type Storage } from "../support/storage.ts";

/** A word that nobody else has. */
const newWord = () => newId().replaceAll("-", "");

describeStorage("the search for users", (storage) => {
  const usernames = async (text: string, limit = 10, contactsOf?: string) =>
    (await storage().store.searchUsers(text, limit, contactsOf)).map(({ username }) => username);

  test("[SIGHT-2] finds beginnings of words of usernames and names in any case, takes nothing for a pattern, and is by username", async () => {
    const { store } = storage();
    const word = newWord();
    const people = [
      { ...profileOf("c"), username: `c.${word}` },
      { ...profileOf("b"), username: `b.${newId()}`, name: `Ms ${word.toUpperCase()} 100%_\\` },
      { ...profileOf("a"), username: `${word}.a` },
    ];
    for (const person of people) await store.putUser(person);
    const inOrder = people.map((person) => person.username).sort();
    expect(new Set(await usernames(word))).toEqual(new Set(inOrder));
    expect(new Set(await usernames(word.slice(0, 20)))).toEqual(new Set(inOrder));
    expect(await usernames(word, 2)).toEqual((await usernames(word)).slice(0, 2));
    expect(await usernames(`${word.toUpperCase()} 100%_\\`)).toEqual([people[1]?.username]);
    for (const pattern of [
      `${word.slice(0, 4)}%${word.slice(6)}`,
      `${word.slice(0, 4)}_${word.slice(5)}`,
      `${word.slice(0, 4)}.*${word.slice(6)}`,
      word.slice(1),
      "%",
      "'",
      "\\",
    ]) {
      expect(await usernames(pattern)).toEqual([]);
    }
  });

  test("finds who has all of the words, whatever stands between them, and no text breaks out of its words", async () => {
    const { store } = storage();
    const word = newWord();
    const ada = { ...profileOf("ada"), name: `Åda ${word} d’Œuvre-O'Neil 山田\u3000太郎` };
    await store.putUser(ada);
    for (const text of [`ÅD ${word}`, `${word}, Œuvre`, `O'N ${word}`, `neil\u00a0${word}`, `太 ${word}`]) {
      expect.soft(await usernames(text), text).toEqual([ada.username]);
    }
    for (const text of [`${word} missing`, `${word}' & !'x`, `${word}':* | 'zz`, `田 ${word}`, `${word}\\':zz`]) {
      expect.soft(await usernames(text), text).toEqual([]);
    }
  });

  test("serves texts of the longest, and finds who was stored before names had a form", async () => {
    const word = newWord();
    const id = newId();
    await query(
      storage(),
      sql`insert into users (id, username, name, first_name, last_name)
        values (${id}, ${`${word} ${"\u{10400}".repeat(3_000)}`}, ${"\u0001 \\'".repeat(1_000)}, '', '')`,
    );
    expect(await storage().store.searchUsers(word, 10)).toMatchObject([{ id }]);
    expect(await usernames("\u{1f600}".repeat(150))).toEqual([]);
    expect(
      await usernames(Array.from({ length: 75 }, (_, index) => String.fromCodePoint(0x4e00 + index)).join(" ")),
    ).toEqual([]);
  });

  test("of contacts finds those alone who share a conversation with one", async () => {
    const { store } = storage();
    const word = newWord();
    const [alice, bob, carol] = await introduce(store, "alice", "bob", "carol");
    for (const person of [alice, bob, carol]) await store.putUser({ ...person, name: `${word} ${person.name}` });
    expect(await usernames(word, 10, alice.id)).toEqual([]);
    await openGroup(store, alice, bob);
    await openGroup(store, bob, carol);
    expect(await usernames(word, 10, alice.id)).toEqual([alice.username, bob.username]);
    expect(await usernames("", 10, alice.id)).toEqual([alice.username, bob.username]);
    expect(await usernames("", 1, alice.id)).toEqual([alice.username]);
    expect(await usernames(`${word} carol`, 10, alice.id)).toEqual([]);
    expect(await usernames(`${word} carol`, 10, bob.id)).toEqual([carol.username]);
  });

  describe("among 20,000", () => {
    test.each([
      ["all users", "", 5, 5],
      ["one of them, by name and exactly", "person12345", 5, 2],
      ["some by two words", "person1234 group7", 20, 20],
      ["a beginning that all share", "p", 5, 1_001],
    ])("looks at few rows: %s", async (_, text, limit, most) => {
      await crowd(storage());
      const { scans, rows } = await usersLookedAt(storage(), text, limit);
      expect(scans).not.toContain("Seq Scan");
      expect(rows).toBeGreaterThan(0);
      expect(rows).toBeLessThanOrEqual(most);
    });

    test("finds who is called exactly so, whoever else fits", async () => {
      await crowd(storage());
      const person = { ...profileOf("person"), username: "person" };
      await storage().store.putUser(person);
      expect(await usernames("person", 1)).toEqual(["person"]);
      await expect(usernames("person", 100)).resolves.toHaveLength(100);
    });

    test.each([
      ["all", "", 3],
      ["by a beginning that all share", "p", 3],
    ])("looks at no more than the contacts: %s", async (_, text, most) => {
      await crowd(storage());
      const [alice, bob, carol] = await introduce(storage().store, "alice", "bob", "carol");
      await openGroup(storage().store, alice, bob, carol);
      const { scans, rows } = await usersLookedAt(storage(), text, 5, alice.id);
      expect(scans).not.toContain("Seq Scan");
      expect(rows).toBeLessThanOrEqual(most);
    });
  });
});

/** Makes them once. */
async function crowd(storage: Storage): Promise<void> {
  await query(
    storage,
    sql`insert into users (id, username, name, first_name, last_name)
      select 'crowd-' || n, 'person' || n, 'Person Group' || n % 10, '', '' from generate_series(1, 20000) as n
      on conflict do nothing`,
  );
  await query(storage, sql`analyze users`);
}

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly PlanNode[];
}

/** How the search scans the table of users, and how many rows of it are looked at. */
async function usersLookedAt({ database }: Storage, text: string, limit: number, contactsOf?: string) {
  const statement = searchStatement(text, limit, contactsOf);
  if (statement === null) throw new Error("the text has no word");
  const [row] = rowsOf(await database.search.execute(sql`explain (analyze, format json) ${statement}`));
  if (row === undefined) throw new Error("no plan");
  const [{ Plan }] = row["QUERY PLAN"] as [{ Plan: PlanNode }];
  const scans: string[] = [];
  let rows = 0;
  function visit(node: PlanNode): void {
    if (node["Relation Name"] === "users") {
      scans.push(node["Node Type"]);
      rows += (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)) * node["Actual Loops"];
    }
    for (const child of node.Plans ?? []) visit(child);
  }
  visit(Plan);
  return { scans, rows };
}
