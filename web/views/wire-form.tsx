import { useId } from "preact/hooks";
import type { WireAnswer } from "../wire-console.ts";
import type { WireDialect } from "../wire-examples.ts";
import { useWorkspace } from "../workspace.ts";

const DIALECTS: readonly (readonly [WireDialect, string])[] = [
  ["channels", "Channels · /ws/…"],
  ["/chat", "Live chat · /chat"],
  ["/rooms", "Rooms · /rooms"],
];

export function WireForm() {
  const { console: wireConsole } = useWorkspace();
  const isChannels = wireConsole.dialect.value === "channels";
  const submit = (event: Event) => {
    event.preventDefault();
    void wireConsole.send();
  };
  return (
    <form class="wire-form" onSubmit={submit}>
      <div class="wire-choices">
        <Choice
          label="Dialect"
          value={wireConsole.dialect.value}
          options={DIALECTS}
          onChoose={(dialect) => wireConsole.chooseDialect(dialect)}
        />
        <Choice
          label={isChannels ? "Frame" : "Event"}
          value={wireConsole.event.value}
          options={wireConsole.events.value.map((event) => [event, event] as const)}
          onChoose={(event) => wireConsole.chooseEvent(event)}
        />
      </div>
      <label class="field">
        <span>Data</span>
        <textarea
          class="code"
          rows={5}
          spellcheck={false}
          value={wireConsole.data.value}
          onInput={(event) => {
            wireConsole.data.value = event.currentTarget.value;
          }}
        />
      </label>
      <div class="wire-send">
        <button type="submit" class="primary" disabled={!wireConsole.canSend.value}>
          Send frame
        </button>
        <button type="button" onClick={() => wireConsole.chooseEvent(wireConsole.event.value)}>
          Example
        </button>
        {!wireConsole.canSend.value && <span class="muted">Open a conversation first.</span>}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <section class="wire-answer" aria-label="Answer" aria-live="polite" tabIndex={0}>
        <Answer answer={wireConsole.answer.value} />
      </section>
    </form>
  );
}

function Choice<Value extends string>({
  label,
  value,
  options,
  onChoose,
}: {
  label: string;
  value: Value;
  options: readonly (readonly [Value, string])[];
  onChoose: (value: Value) => void;
}) {
  const id = useId();
  return (
    <div class="field grow">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChoose(event.currentTarget.value as Value)}>
        {options.map(([option, name]) => (
          <option key={option} value={option}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}

function Answer({ answer }: { answer: WireAnswer }) {
  switch (answer.name) {
    case "none":
      return null;
    case "awaited":
      return <p class="muted">Waiting for the answer…</p>;
    case "acknowledged":
      return (
        <>
          <p class="acknowledged">Done</p>
          {answer.data !== undefined && <pre>{JSON.stringify(answer.data, null, 2)}</pre>}
        </>
      );
    case "refused":
      return (
        <p class="refused">
          Refused: <code>{answer.code}</code> {answer.why}
        </p>
      );
  }
}
