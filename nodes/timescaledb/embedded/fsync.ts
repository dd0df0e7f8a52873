import { closeSync, fdatasyncSync, fsyncSync, openSync } from "node:fs";

/** The few members of Emscripten's module that the hook touches. */
interface OpenFile {
  /** Node's descriptor; absent for directories, which Emscripten opens without one. */
  nfd?: number | null;
  node: { mount?: { type?: unknown } };
}
interface NodeFileSystem {
  stream_ops: { fsync?: (file: OpenFile) => number };
  realPath(node: OpenFile["node"]): string;
}
interface WasmModule {
  FS: { filesystems: { NODEFS: NodeFileSystem }; getStream(descriptor: number): OpenFile | null };
}
interface WasmOptions {
  preRun?: ((module: WasmModule) => void)[];
  instantiateWasm(imports: { env: Record<string, unknown> }, done: unknown): unknown;
}

/**
 * A pseudo extension of PGlite that makes fsync and fdatasync reach the disk. The engine's Node file system has
 * neither, so that without it a commit survives the death of the process but not of the machine.
 * @param counted called once for each call that reached the operating system
 */
export function fsyncExtension(counted: () => void) {
  return {
    name: "fsync",
    setup: async (_database: unknown, options: WasmOptions) => {
      let wasm: WasmModule | undefined;
      const flush = (file: OpenFile | null, dataOnly: boolean): number => {
        const files = wasm?.FS.filesystems.NODEFS;
        if (!file || !files || file.node.mount?.type !== files) return 0;
        if (typeof file.nfd === "number") {
          if (dataOnly) fdatasyncSync(file.nfd);
          else fsyncSync(file.nfd);
        } else {
          flushDirectory(files.realPath(file.node));
        }
        counted();
        return 0;
      };
      options.preRun ??= [];
      options.preRun.push((module) => {
        wasm = module;
        module.FS.filesystems.NODEFS.stream_ops.fsync = (file) => flush(file, false);
      });
      const instantiate = options.instantiateWasm;
      options.instantiateWasm = (imports, done) => {
        imports.env.__syscall_fdatasync = (descriptor: number) => flush(wasm?.FS.getStream(descriptor) ?? null, true);
        return instantiate(imports, done);
      };
      return { emscriptenOpts: options };
    },
  };
}

function flushDirectory(path: string): void {
  // Windows opens no directories; its journal keeps the entries.
  if (process.platform === "win32") return;
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
