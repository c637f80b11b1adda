import { useEffect, useMemo } from "preact/hooks";
import type { ProfileBody } from "../../client/index.ts";
import { session } from "../session.ts";
import { Workspace, WorkspaceContext } from "../workspace.ts";
import { Banner } from "./banner.tsx";
import { Choosing } from "./choosing.tsx";
import { Conversations } from "./conversations.tsx";
import { Notices } from "./notices.tsx";
import { RoomPane } from "./room-pane.tsx";
import { SignIn } from "./sign-in.tsx";
import { StatusBar } from "./status-bar.tsx";
import { WirePanel } from "./wire-panel.tsx";

export function App() {
  const now = session.value;
  switch (now.name) {
    case "signed_out":
      return <SignIn notice={now.notice} isBusy={false} />;
    case "signing_in":
      return <SignIn notice={null} isBusy={true} />;
    case "signed_in":
      return <SignedIn key={now.me.id} me={now.me} />;
    case "choosing":
      return <Choosing me={now.me} other={now.other} />;
  }
}

function SignedIn({ me }: { me: ProfileBody }) {
  const workspace = useMemo(() => new Workspace(me), [me]);
  useEffect(() => () => workspace.close(), [workspace]);
  const isRoomOpen = workspace.rooms.current.value !== null || workspace.rooms.unopened.value !== null;
  const isWireOpen = workspace.console.isOpen.value;
  return (
    <WorkspaceContext.Provider value={workspace}>
      <div class={`workspace ${isRoomOpen ? "with-room" : ""} ${isWireOpen ? "with-wire" : ""}`}>
        <Banner />
        <StatusBar />
        <Notices />
        <Conversations />
        <RoomPane />
        {isWireOpen && <WirePanel />}
      </div>
    </WorkspaceContext.Provider>
  );
}
