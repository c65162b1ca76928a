export declare function startPooler(
  serverSocketFolder: string,
  poolMode?: 'session' | 'transaction' | 'statement',
): Promise<{ socketFolder: string; stop: () => Promise<void> }>;
