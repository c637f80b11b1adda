/** All that lives from signing in to signing out. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { createApi, type ProfileBody } from "../client/index.ts";
import { type Draft, hasWords } from "./composer.ts";
import { ConversationList } from "./conversation-list.ts";
import { DRAFT, KeptWork } from "./kept-work.ts";
import { Live } from "./live.ts";
import { OpenRooms } from "./open-rooms.ts";
import { keptEntries } from "./outbox.ts";
import { People } from "./people.ts";
import { currentRoom } from "./route.ts";
import { serverUrl } from "./server.ts";
import { getToken } from "./session.ts";
import { Trust } from "./trust.ts";
import { WireConsole } from "./wire-console.ts";
import { WireLog } from "./wire-log.ts";

export class Workspace {
  readonly #closing = new AbortController();
  readonly signal = this.#closing.signal;
  readonly connectOptions = { url: serverUrl, getToken, signal: this.signal };
  readonly api = createApi(this.connectOptions);
  readonly people: People;
  readonly wire = new WireLog();
  readonly work: KeptWork;
  readonly trust: Trust;
  readonly live: Live;
  readonly list: ConversationList;
  readonly rooms: OpenRooms;
  readonly console: WireConsole;

  constructor(me: ProfileBody) {
    this.people = new People(me);
    this.work = new KeptWork(me.id, this.signal);
    this.trust = new Trust(this.people, this.work);
    this.live = new Live(this.connectOptions, this.wire);
    this.list = new ConversationList(this);
    this.rooms = new OpenRooms(this);
    this.console = new WireConsole(this);
    const stops = [
      currentRoom.subscribe((room) => {
        this.rooms.unopened.value = null;
        this.rooms.enter(room);
      }),
      this.live.unreadTotal.subscribe((total) => {
        document.title = total === 0 ? "Parley" : `(${total}) Parley`;
      }),
    ];
    this.signal.addEventListener("abort", () => {
      for (const stop of stops) stop();
      document.title = "Parley";
    });
  }

  /** Makes the next attempt now, wherever one is waited for. */
  retry(): void {
    this.live.retry();
    this.rooms.retry();
    this.console.retry();
  }

  /** What somebody would lose by signing out. */
  begun(): { waiting: number; drafts: number } {
    const drafts = this.work.all<Draft>(DRAFT).filter(([, draft]) => hasWords(draft)).length;
    return { waiting: keptEntries(this.work).length, drafts };
  }

  /** Leaves nothing of this user's in the browser. */
  forget(): void {
    this.work.forget();
  }

  close(): void {
    this.#closing.abort();
  }
}

export const WorkspaceContext = createContext<Workspace | null>(null);

export function useWorkspace(): Workspace {
  const workspace = useContext(WorkspaceContext);
  if (workspace === null) throw new Error("this view is for who is signed in");
  return workspace;
}
