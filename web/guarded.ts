/**
 * A listener to frames that passes over what it cannot read, as a later release of the server may say it: an error while one
 * frame is heard stops neither later ones nor whoever else hears this one.
 */
export function guarded<Frame>(hear: (frame: Frame) => void): (frame: Frame) => void {
  return (frame) => {
    try {
      hear(frame);
    } catch (error) {
      console.info("a frame was passed over", error, frame);
    }
  };
}
