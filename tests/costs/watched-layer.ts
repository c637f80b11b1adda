import type { ChannelLayer } from "../../server/channel-layer/layer.ts";

/** What goes through one node's end of the layer. */
export interface WatchedLayer {
  readonly layer: ChannelLayer;
  /** The groups that this node published to, once for each payload. */
  readonly published: string[];
  /** The groups of the payloads that came from other nodes, once for each. */
  readonly arrived: string[];
  /** The groups that this node listens to. */
  readonly groups: Set<string>;
}

export function watchLayer(inner: ChannelLayer): WatchedLayer {
  const published: string[] = [];
  const arrived: string[] = [];
  const groups = new Set<string>();
  const layer: ChannelLayer = {
    nodeId: inner.nodeId,
    roster: inner.roster,
    publish: (group, payload) => {
      published.push(group);
      inner.publish(group, payload);
    },
    subscribe: async (added) => {
      await inner.subscribe(added);
      for (const group of added) groups.add(group);
    },
    unsubscribe: (removed) => {
      inner.unsubscribe(removed);
      for (const group of removed) groups.delete(group);
    },
    onMessage: (handler) =>
      inner.onMessage((group, payload) => {
        arrived.push(group);
        handler(group, payload);
      }),
    onUnreadable: (handler) => inner.onUnreadable(handler),
    onReset: (handler) => inner.onReset(handler),
    onPublishFailed: (handler) => inner.onPublishFailed(handler),
    ping: () => inner.ping(),
    close: () => inner.close(),
  };
  return { layer, published, arrived, groups };
}
