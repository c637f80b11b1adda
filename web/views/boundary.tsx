import { Component, type ComponentChildren } from "preact";

interface Props {
  /** What it shows is made of this: with another one it is tried again. */
  of: unknown;
  /** What stands in its place. */
  otherwise: ComponentChildren;
  children: ComponentChildren;
}

/** What cannot be drawn, such as a message of a kind that this page does not know, takes nothing else along. */
export class Boundary extends Component<Props, { failedFor: unknown; hasFailed: boolean }> {
  override state = { failedFor: null as unknown, hasFailed: false };

  override componentDidCatch(error: unknown): void {
    console.error("this could not be drawn", error);
    this.setState({ hasFailed: true, failedFor: this.props.of });
  }

  override render({ of, otherwise, children }: Props) {
    const { hasFailed, failedFor } = this.state;
    return hasFailed && failedFor === of ? otherwise : children;
  }
}
