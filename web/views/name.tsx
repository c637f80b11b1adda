/** Names in the middle of what the page says: each by itself, so that none turns the words around it. */
import { Fragment } from "preact";

export function Name({ children }: { children: string }) {
  return <bdi>{children}</bdi>;
}

/** `alice`, `alice and bob`, `alice, bob and 3 more`. */
export function Names({ of }: { of: readonly string[] }) {
  const shown = of.length <= 2 ? of : of.slice(0, 2);
  const more = of.length - shown.length;
  const separator = more > 0 ? ", " : " and ";
  return (
    <>
      {shown.map((name, index) => (
        // Two people may have one name: the place is what it is known by.
        <Fragment key={index}>
          {index > 0 && separator}
          <Name>{name}</Name>
        </Fragment>
      ))}
      {more > 0 && ` and ${more} more`}
    </>
  );
}
