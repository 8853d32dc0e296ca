/** The little of Node.js that the tests use; Debian has no package of its types for `tsc`. */
declare module 'node:test' {
  export interface Context {
    after(body: () => void): void;
  }
  export function test(name: string, body: (context: Context) => void | Promise<void>): void;
}
declare module 'node:assert/strict' {
  interface Assert {
    (value: unknown, message?: string): asserts value;
    equal(actual: unknown, expected: unknown, message?: string): void;
    notEqual(actual: unknown, expected: unknown, message?: string): void;
    deepEqual(actual: unknown, expected: unknown, message?: string): void;
    match(text: string, pattern: RegExp, message?: string): void;
    throws(body: () => unknown, expected?: unknown): void;
    rejects(body: Promise<unknown> | (() => Promise<unknown>), expected?: unknown): Promise<void>;
  }
  const assert: Assert;
  export default assert;
}
declare module 'node:fs' {
  export function readFileSync(path: URL | string, encoding: 'utf8'): string;
  export function readFileSync(path: URL | string): Uint8Array;
  export function readdirSync(path: URL | string, options: { withFileTypes: true }): { name: string, isDirectory(): boolean }[];
  export function existsSync(path: URL | string): boolean;
}
declare module 'node:process' {
  const process: { env: Record<string, string | undefined> };
  export default process;
}
declare module 'node:zlib' {
  export function gzipSync(data: Uint8Array | string, how?: { level: number }): Uint8Array;
}
