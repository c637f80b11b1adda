/** What the open room is: its name, whether it is a group, who is in it. */
import { computed, effect, signal } from "@preact/signals";
import { type Api, type ConversationDetailsBody, ParleyError, type ProfileBody } from "../client/index.ts";
import { coalesced } from "./coalesced.ts";
import type { ConversationList } from "./conversation-list.ts";
import type { History } from "./history.ts";
import { type Live, roomOfEvent } from "./live.ts";
import { displayName, type People } from "./people.ts";
import { problemText } from "./problems.ts";
import { idOfName } from "./room-name.ts";

export interface DetailsSurroundings {
  readonly api: Api;
  readonly live: Live;
  readonly list: ConversationList;
  readonly people: People;
  readonly history: History;
  readonly signal: AbortSignal;
  onProblem(text: string): void;
}

const GROUP_EVENTS = new Set(["members added", "member removed", "group updated"]);

export class Details {
  readonly #known = signal<ConversationDetailsBody | null>(null);
  readonly #room: string;
  readonly #surroundings: DetailsSurroundings;
  readonly refresh: () => void;

  constructor(room: string, surroundings: DetailsSurroundings) {
    this.#room = room;
    this.#surroundings = surroundings;
    this.refresh = coalesced(() => this.#read(), surroundings.signal);
    surroundings.live.onEvent((frame) => {
      if (GROUP_EVENTS.has(frame.event) && roomOfEvent(frame) === this.id.peek()) this.refresh();
    }, surroundings.signal);
    const stop = effect(() => {
      if (this.#asked.value !== null) this.refresh();
    });
    surroundings.signal.addEventListener("abort", stop);
  }

  /** The conversation's id; null for a direct one without a message, which nothing lists yet. */
  readonly id = computed(
    () => this.#known.value?.id ?? this.#listed.value?.id ?? this.#surroundings.history.conversationId.value,
  );

  /**
   * The id that the server is asked about; null while there is none to ask about. A room without messages that is not in the
   * list may be a group further down in it: then its name is an id.
   */
  readonly #asked = computed(() => {
    if (this.id.value !== null) return this.id.value;
    const { list, history } = this.#surroundings;
    const isEmpty = history.state.value.name === "complete";
    return isEmpty && list.hasMore.value ? idOfName(this.#room) : null;
  });

  readonly group = computed(() => (this.#known.value?.type === "group" ? this.#known.value : null));

  /** The first 100, by the time they joined. */
  readonly members = computed(() => this.#known.value?.members ?? []);

  /** What the header says before anything is known is what it says of a direct conversation: the name it was opened by. */
  readonly name = computed(() => {
    const { people } = this.#surroundings;
    const conversation = this.group.value ?? this.#listed.value ?? this.#known.value;
    if (conversation === null) return people.nameOf(this.#room);
    if ("other" in conversation) return conversation.name;
    const other = conversation.other_user;
    return other === null ? conversation.name : displayName(other);
  });

  /** The other's username in a direct conversation; null in a group. */
  readonly other = computed(() => {
    const known = this.#known.value;
    if (known !== null) return known.other_user?.username ?? null;
    const listed = this.#listed.value;
    if (listed !== null) return listed.other?.username ?? null;
    return this.#room === idOfName(this.#room) ? this.#room : null;
  });

  readonly #listed = computed(() => this.#surroundings.list.find(this.#room));

  async rename(name: string): Promise<void> {
    await this.#surroundings.api.updateGroup(this.#conversation, { name });
    this.refresh();
  }

  /** @returns those who are asked only, since they left by themselves */
  async add(members: readonly string[]): Promise<readonly ProfileBody[]> {
    const { invited = [] } = await this.#surroundings.api.addMembers(this.#conversation, members);
    this.refresh();
    return invited;
  }

  async remove(user: string): Promise<void> {
    await this.#surroundings.api.removeMember(this.#conversation, user);
    this.refresh();
  }

  /** Its socket is closed with it. */
  async leave(): Promise<void> {
    await this.#surroundings.api.removeMember(this.#conversation, this.#surroundings.people.me.id);
  }

  get #conversation(): string {
    return this.id.peek() ?? idOfName(this.#room);
  }

  async #read(): Promise<void> {
    const { api, people, onProblem } = this.#surroundings;
    const id = this.#asked.peek();
    if (id === null) return;
    try {
      const details = await api.conversation(id);
      this.#known.value = details;
      people.learn(details.members);
    } catch (error) {
      // No conversation of ours has that id: it is the other's name, or we are not in it any more.
      const isNotOurs = error instanceof ParleyError && (error.code === "not_found" || error.code === "forbidden");
      if (!isNotOurs && !this.#surroundings.signal.aborted) onProblem(problemText(error));
    }
  }
}
