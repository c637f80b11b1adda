export function holdBuildLock<Result>(root: string, work: () => Promise<Result>): Promise<Result>;
