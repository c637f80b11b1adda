/** All that lives from signing in to signing out. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { createApi, type ProfileBody } from "../client/index.ts";
import { ConversationList } from "./conversation-list.ts";
import { Live } from "./live.ts";
import { OpenRooms } from "./open-rooms.ts";
import { People } from "./people.ts";
import { currentRoom } from "./route.ts";
import { getToken } from "./session.ts";
import { WireConsole } from "./wire-console.ts";
import { WireLog } from "./wire-log.ts";

export class Workspace {
  readonly #closing = new AbortController();
  readonly signal = this.#closing.signal;
  readonly connectOptions = { getToken, signal: this.signal };
  readonly api = createApi(this.connectOptions);
  readonly people: People;
  readonly wire = new WireLog();
  readonly live: Live;
  readonly list: ConversationList;
  readonly rooms: OpenRooms;
  readonly console: WireConsole;

  constructor(me: ProfileBody) {
    this.people = new People(me);
    this.live = new Live(this.connectOptions, this.wire);
    this.list = new ConversationList(this.api, this.live, this.people, this.signal);
    this.rooms = new OpenRooms(this);
    this.console = new WireConsole(this);
    const stops = [
      currentRoom.subscribe((room) => this.rooms.enter(room)),
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
