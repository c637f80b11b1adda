import { render } from "preact";
import { resumeSession } from "./session.ts";
import { applyTheme } from "./theme.ts";
import { App } from "./views/app.tsx";

const page = document.getElementById("page");
if (page === null) throw new Error("index.html has no element with the id page");
applyTheme();
resumeSession();
render(<App />, page);
