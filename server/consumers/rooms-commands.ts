/** What a client of the rooms dialect asks for, apart from its list of rooms. */
import { Refusal } from "../core/errors.ts";
import type { NewGroupRequest } from "../core/groups.ts";
import type { Draft } from "../core/messages.ts";
import type { Conversation, Profile } from "../core/model.ts";
import type { RoomsClientEvents } from "../protocol/rooms.ts";
import type { ConsumerServices } from "./consumer.ts";
import { checkClaim } from "./event-replay.ts";
import { done, type EventCarrier, type Outcome } from "./event-session.ts";
import type { EventHandlers } from "./event-table.ts";
import { deleted, edited, pinned, roomOf, roomsMessage, unseenBy } from "./rooms-events.ts";

type Handlers = Omit<EventHandlers<RoomsClientEvents>, "connectRooms">;
type Data<Name extends keyof Handlers> = Parameters<Handlers[Name]>[0];
type MessageData = Omit<Data<"sendMessage">, "room_id">;

export class RoomsCommands {
  readonly #services: ConsumerServices;
  readonly #profile: Profile;
  readonly #carrier: EventCarrier;

  constructor(services: ConsumerServices, profile: Profile, carrier: EventCarrier) {
    this.#services = services;
    this.#profile = profile;
    this.#carrier = carrier;
  }

  readonly handlers: Handlers = {
    sendMessage: ({ room_id, ...message }) => {
      checkClaim("data.sender_id", message.sender_id, this.#profile.id);
      const memberIds = () => this.#services.roomMembers.userIds(room_id);
      return { acknowledgement: this.#send(room_id, toDraft(message, false), memberIds) };
    },
    sendNewMessage: (data) => this.#sendNew(data),
    typing: ({ room_id, message, user_id }) => {
      checkClaim("data.user_id", user_id, this.#profile.id);
      const typed = this.#services.core.messages.type(this.#profile, room_id, message !== "", message);
      return { acknowledgement: typed.then(() => ({ room_id })) };
    },
    deleteMessage: ({ room_id, message_id, user_id }) => {
      checkClaim("data.user_id", user_id, this.#profile.id);
      const changed = this.#services.core.messages.delete(this.#profile, room_id, message_id);
      return {
        acknowledgement: changed.then(
          (message) => deleted(message, message.changedSeq, message.deletedBy?.id ?? this.#profile.id).data,
        ),
      };
    },
    editMessage: ({ room_id, message_id, message: text, user_id }) => {
      checkClaim("data.user_id", user_id, this.#profile.id);
      const changed = this.#services.core.messages.edit(this.#profile, room_id, message_id, text);
      return { acknowledgement: changed.then((message) => edited(message, message.changedSeq).data) };
    },
    messageSeen: ({ room_id, message_id, user_id }) => {
      checkClaim("data.user_id", user_id, this.#profile.id);
      const read = this.#services.core.reading.readUpTo(this.#profile, room_id, message_id);
      return { acknowledgement: read.then(() => ({ room_id, message_id })) };
    },
    pinMessage: ({ _id, room_id, pin_message, user_id }) => {
      checkClaim("data.user_id", user_id, this.#profile.id);
      const changed = this.#services.core.messages.pin(this.#profile, room_id, _id, pin_message);
      return {
        acknowledgement: changed.then(
          (message) => pinned(message, message.changedSeq, pin_message, message.pinnedBy?.id ?? this.#profile.id).data,
        ),
      };
    },
    createGroup: (data) => this.#createGroup(data),
    addMembers: async ({ room_id, members }) => {
      const { added, invited } = await inGroup(() => this.#services.core.groups.add(this.#profile, room_id, members));
      return done({
        room_id,
        members: added.map((member) => member.id),
        ...(invited.length > 0 && { invited: invited.map((member) => member.id) }),
      });
    },
    removeMember: async ({ room_id, user_id }) => {
      await inGroup(() => this.#services.core.groups.remove(this.#profile, room_id, user_id));
      return done({ room_id, user_id });
    },
    leaveGroup: async ({ room_id }) => {
      await inGroup(() => this.#services.core.groups.remove(this.#profile, room_id, this.#profile.id));
      return done({ room_id });
    },
    updateGroup: async ({ room_id, room_name, image_url }) => {
      const fields = {
        ...(room_name !== undefined && { name: room_name }),
        ...(image_url !== undefined && { imageUrl: image_url }),
      };
      const group = await inGroup(() => this.#services.core.groups.update(this.#profile, room_id, fields));
      return done({ room_id, room_name: group.name, image_url: group.imageUrl });
    },
    ping: () => {
      this.#carrier.pong();
      return done();
    },
  };

  async #send(roomId: string, draft: Draft, memberIds: () => readonly string[]): Promise<unknown> {
    const { message, repeated } = await this.#services.core.messages.send(this.#profile, roomId, draft);
    const data = roomsMessage(message, unseenBy(memberIds()));
    if (!repeated) return data;
    this.#carrier.emit({ event: "message", data: { ...data, repeated } });
    return { ...data, repeated };
  }

  /** Finds or makes the conversation with these people; then it is a message like any other, but known to open it. */
  async #sendNew({ message, recipient_id, room_name, image_url, type }: Data<"sendNewMessage">): Promise<Outcome> {
    checkClaim("data.message.sender_id", message.sender_id, this.#profile.id);
    const { core, limits } = this.#services;
    const [first, ...others] = new Set(recipient_id);
    const isDirect = type === "peer-to-peer" && others.length === 0;
    const request = { name: room_name, imageUrl: image_url ?? null, members: recipient_id };
    const { id: roomId } =
      isDirect && first !== undefined
        ? await core.conversations.openWith(this.#profile, first)
        : await this.#groupFor(message._id, request);
    const isEmpty = message.message === "" && (message.attachments ?? []).length === 0;
    if (isEmpty) return done({ room_id: roomId });
    // The sender may not have heard yet that they are in it, and what is not held is not known without asking.
    const members = await core.conversations.members([roomId], limits.largeRoomMembers);
    const memberIds = members.map((member) => member.profile.id);
    return { acknowledgement: this.#send(roomId, toDraft(message, true), () => memberIds) };
  }

  /** A retry of the same message to the same people, however soon, finds the group of the first try. */
  #groupFor(messageId: string | undefined, request: Omit<NewGroupRequest, "id">): Promise<Conversation> {
    const { groups } = this.#services.core;
    return messageId === undefined
      ? groups.create(this.#profile, { ...request, id: null })
      : groups.createOnce(this.#profile, messageId, request);
  }

  async #createGroup({ _id, room_name, recipients, creator_id, image_url }: Data<"createGroup">): Promise<Outcome> {
    checkClaim("data.creator_id", creator_id, this.#profile.id);
    const { core, limits } = this.#services;
    const request = { id: _id ?? null, name: room_name, imageUrl: image_url ?? null, members: recipients };
    const { id } = await core.groups.create(this.#profile, request);
    const [view, members] = await Promise.all([
      core.conversations.view(this.#profile, id),
      core.conversations.members([id], limits.largeRoomMembers),
    ]);
    return done(roomOf(view, this.#profile.id, members));
  }
}

/** In a frame, a room that is not the caller's to see is forbidden, whether it exists or not. */
async function inGroup<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal && error.code === "not_found") throw new Refusal("forbidden", error.message);
    throw error;
  }
}

function toDraft(data: MessageData, opensConversation: boolean): Draft {
  // Only which message is answered is believed: what it says, and who said it, is shown as it is.
  const replyTo = data.reply_message?._id;
  return {
    id: data._id ?? null,
    clientId: data.client_id ?? data._id ?? null,
    text: data.message,
    mediaUrl: null,
    mediaType: null,
    messageType: data.message_type ?? null,
    attachments: data.attachments ?? [],
    replyTo: typeof replyTo === "string" && replyTo !== "" ? replyTo : null,
    isStoryReply: data.isStoryReply ?? false,
    opensConversation,
    fileIdentifier: null,
    mediaUrlExpiration: null,
  };
}
