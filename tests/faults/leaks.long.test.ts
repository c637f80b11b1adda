import { describeLeaks } from "./leaks.ts";

describeLeaks(4_000);
