import { describeStalledReaders } from "./stalled-readers.ts";

describeStalledReaders(100);
