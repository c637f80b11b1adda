import { chooseTheme, theme } from "../theme.ts";
import { IconButton } from "./icon.tsx";

export function ThemeButton() {
  const other = theme.value === "dark" ? "light" : "dark";
  return (
    <IconButton
      icon={other === "dark" ? "moon" : "sun"}
      label={`Use ${other} theme`}
      onClick={() => chooseTheme(other)}
    />
  );
}
