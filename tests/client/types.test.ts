/** What an editor knows of the library: `tsc` checks these; at run time they say nothing. */
import { describe, expectTypeOf, test } from "vitest";
import type {
  Api,
  ChatMessage,
  ConnectionState,
  ConversationPage,
  Events,
  LiveChatServerEvents,
  MessagePage,
  Notifications,
  NotificationsServerFrame,
  ParleyError,
  ProfileBody,
  Room,
  RoomMessage,
  RoomServerFrame,
  RoomsMessage,
  RoomsRoom,
} from "../../client/index.ts";

/** Never run: what is called in it is looked at by the compiler alone. */
function types(_look: () => void): void {}

describe("a room", () => {
  test("narrows a frame to the type that is listened to", () => {
    types(() => {
      const room = {} as Room;
      room.on("chat_message", (frame) => {
        expectTypeOf(frame).toEqualTypeOf<ChatMessage>();
        expectTypeOf(frame.from_user.username).toEqualTypeOf<string>();
        expectTypeOf(frame.repeated).toEqualTypeOf<true | undefined>();
      });
      room.on("messages_read", (frame) => expectTypeOf(frame.user).toEqualTypeOf<string>());
      room.on("user_typing", (frame) => expectTypeOf(frame.is_typing).toEqualTypeOf<boolean>());
      room.onFrame((frame) => expectTypeOf(frame).toEqualTypeOf<RoomServerFrame>());
      // @ts-expect-error no server frame has this type
      room.on("no_such_type", () => {});
    });
  });

  test("takes the fields of a message, and no others", () => {
    expectTypeOf<RoomMessage["message"]>().toEqualTypeOf<string | undefined>();
    expectTypeOf<RoomMessage["client_id"]>().toEqualTypeOf<string | undefined>();
    expectTypeOf<RoomMessage["media_type"]>().toEqualTypeOf<"VIDEO" | "AUDIO" | "IMAGE" | "FILE" | undefined>();
    expectTypeOf<keyof RoomMessage>().toEqualTypeOf<
      | ("message" | "multimedia_url" | "media_type" | "message_type" | "attachments" | "reply_to")
      | ("file_identifier" | "multimedia_url_expiration" | "client_id")
    >();
    types(() => {
      const room = {} as Room;
      void room.send({});
      void room.send({ message: "hello", reply_to: undefined });
      // @ts-expect-error nothing that a frame says of its sender is believed
      void room.send({ message: "hello", from_user: "alice" });
    });
  });

  test("answers a message with the message, and a change with nothing", () => {
    expectTypeOf<Room["send"]>().returns.resolves.toEqualTypeOf<ChatMessage>();
    expectTypeOf<Room["edit"]>().returns.resolves.toEqualTypeOf<void>();
    expectTypeOf<Room["read"]>().returns.resolves.toEqualTypeOf<void>();
    expectTypeOf<Room["seq"]>().toEqualTypeOf<number | null>();
  });

  test("is walked frame by frame", () => {
    expectTypeOf<Room>().toExtend<AsyncIterable<RoomServerFrame>>();
  });

  test("says when its next attempt is only where there is one", () => {
    types(() => {
      const state = {} as ConnectionState;
      if (state.name === "waiting") expectTypeOf(state.nextAttemptAt).toEqualTypeOf<number>();
      if (state.name === "closed") expectTypeOf(state.why.code).toEqualTypeOf<number>();
      // @ts-expect-error not in every state
      void state.nextAttemptAt;
    });
  });
});

describe("events", () => {
  test("are acknowledged with what their dialect says", () => {
    types(() => {
      const chat = {} as Events<"/chat">;
      const rooms = {} as Events<"/rooms">;
      const message = { chatId: "c", content: "hello" };
      expectTypeOf(chat.send("chat:message_send", message)).resolves.toEqualTypeOf<
        LiveChatServerEvents["chat:message_receive"]
      >();
      expectTypeOf(chat.send("user:get_status", { userId: "bob" })).resolves.toEqualTypeOf<
        LiveChatServerEvents["user:status"]
      >();
      expectTypeOf(
        rooms.send("sendMessage", { room_id: "r", message: "hello" }),
      ).resolves.toEqualTypeOf<RoomsMessage>();
      expectTypeOf(
        rooms.send("createGroup", { room_name: "team", recipients: ["bob"] }),
      ).resolves.toEqualTypeOf<RoomsRoom>();
      expectTypeOf(rooms.send("leaveGroup", { room_id: "r" })).resolves.toEqualTypeOf<{ room_id: string }>();
    });
  });

  test("take the data of their name, and only the names of their path", () => {
    types(() => {
      const chat = {} as Events<"/chat">;
      // @ts-expect-error an event of the other path
      void chat.send("sendMessage", { room_id: "r", message: "hello" });
      // @ts-expect-error it needs a text
      void chat.send("chat:message_edit", { messageId: "m" });
      // @ts-expect-error a pin is true or false
      void chat.send("chat:message_pin", { messageId: "m", pinned: "yes" });
    });
  });

  test("are heard with the data of their name; one that is named after a user is not known beforehand", () => {
    types(() => {
      const chat = {} as Events<"/chat">;
      const rooms = {} as Events<"/rooms">;
      chat.on("chat:typing_start", (data) => expectTypeOf(data).toEqualTypeOf<{ chatId: string; userId: string }>());
      rooms.on("connectRooms", (list) => expectTypeOf(list).toEqualTypeOf<RoomsRoom[]>());
      rooms.on("group_alice", (room) => expectTypeOf(room).toEqualTypeOf<RoomsRoom>());
      rooms.on("alice", (data) => expectTypeOf(data).toEqualTypeOf<unknown>());
    });
  });
});

describe("the rest", () => {
  test("of the sockets and HTTP says what it gives", () => {
    expectTypeOf<Api["me"]>().returns.resolves.toEqualTypeOf<ProfileBody>();
    expectTypeOf<Api["messages"]>().returns.resolves.toEqualTypeOf<MessagePage>();
    expectTypeOf<Api["conversations"]>().returns.resolves.toEqualTypeOf<ConversationPage>();
    expectTypeOf<ParleyError["retryAfter"]>().toEqualTypeOf<number | undefined>();
    expectTypeOf<ParleyError["code"]>().extract<"forbidden" | "closed" | "interrupted">().not.toBeNever();
    types(() => {
      const badge = {} as Notifications<NotificationsServerFrame>;
      badge.on("unread_count", (frame) => expectTypeOf(frame.unread_count).toEqualTypeOf<number>());
      // @ts-expect-error a frame of the other notifications
      badge.on("single_conversation_unread_count", () => {});
    });
  });
});
