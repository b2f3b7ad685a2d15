import { scrub } from "../secrets.ts";

/** Where a command writes: `data` is what a program may read, `note` is what a person may read. Both scrub secrets. */
export interface Output {
    readonly data: (text: string) => void;
    readonly note: (text: string) => void;
}

export const processOutput: Output = {
    data: (text) => void process.stdout.write(`${scrub(text)}\n`),
    note: (text) => void process.stderr.write(`${scrub(text)}\n`),
};
