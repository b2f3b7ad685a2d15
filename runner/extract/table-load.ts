import { rmSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../errors.ts";
import { quoteName, quoteText } from "../names.ts";
import type { CopySink } from "../postgres/copy-out.ts";
import type { Warehouse } from "../warehouse/types.ts";
import { ParquetFile } from "./parquet-file.ts";
import { ValueProblem } from "./put-value.ts";
import { RowDecoder } from "./row-decoder.ts";
import { describeKey } from "./row-key.ts";
import type { PlannedColumn, SourcePlan } from "./source-catalog.ts";
import type { Transport } from "./transport.ts";

/** Rows of a Parquet row group: what is held in memory, with the bound in bytes for wide rows. */
const groupRows = 61_440;
const groupBytes = 16 << 20;
/** A file is loaded while the next one is written. The rows fill two of DuckDB's own row groups. */
const fileRows = 4 * groupRows;
const fileBytes = 128 << 20;
/** Files that wait for being loaded before the socket has to wait as well. */
const filesWaiting = 2;

type SentColumn = PlannedColumn & { readonly transport: Transport };

/**
 * Takes the rows of one source, writes them to Parquet files, and has DuckDB load each file while the next one fills.
 * Measured on 1,000,000 rows of 19 columns (248 MB) on two cores: decoding costs 1.2 s of CPU; appending chunks to
 * DuckDB costs 2.6 s more, all in the one thread that also reads the socket; this way costs 1.5 s more, nearly all on
 * DuckDB's own threads, of which 1 s was compressing the table, which is left out since. CSV through a FIFO is slower
 * than both: see bench/extract.ts.
 */
export class TableLoad implements CopySink {
    readonly plan: SourcePlan;
    readonly #warehouse: Warehouse;
    readonly #folder: string;
    readonly #columns: readonly SentColumn[];
    readonly #decoder: RowDecoder;
    readonly #onProgress: (rows: number, bytes: number) => void;
    #file: ParquetFile | undefined;
    #fileCount = 0;
    #waiting = 0;
    #loaded: Promise<void> = Promise.resolve();
    #flushedRows = 0;
    bytes = 0;

    constructor(
        plan: SourcePlan,
        warehouse: Warehouse,
        folder: string,
        onProgress: (rows: number, bytes: number) => void,
    ) {
        this.plan = plan;
        this.#warehouse = warehouse;
        this.#folder = folder;
        this.#onProgress = onProgress;
        this.#columns = plan.columns.filter(
            (planned): planned is SentColumn => planned.transport !== undefined,
        );
        this.#decoder = new RowDecoder(
            this.#columns.map(({ transport, column }) => ({ ...transport, nullable: column.nullable })),
            groupRows,
        );
    }

    /** The query whose result is copied out. */
    get query(): string {
        const columns = this.#columns.map(({ transport }) => transport.select).join(", ");
        return `select ${columns} from ${this.plan.quotedTable}`;
    }

    get rows(): number {
        return this.#flushedRows + this.#decoder.rowCount;
    }

    message(bytes: Buffer, view: DataView, start: number, end: number): void {
        this.bytes += end - start;
        try {
            this.#decoder.decode(bytes, view, start, end);
        } catch (error) {
            throw error instanceof ValueProblem ? this.#describe(error, view, start, end) : error;
        }
        if (this.#decoder.isFull || this.#decoder.byteCount >= groupBytes) this.#flushGroup();
    }

    pause(): Promise<void> | undefined {
        this.#onProgress(this.rows, this.bytes);
        return this.#waiting >= filesWaiting ? this.#loaded : undefined;
    }

    /** After the last row: resolves when all of them are in the warehouse. */
    finish(): Promise<void> {
        if (this.#decoder.rowCount > 0) this.#flushGroup();
        if (this.#file) this.#finishFile(this.#file);
        return this.#loaded;
    }

    /** Gives up; resolves when DuckDB reads none of the files any more. */
    async abandon(): Promise<void> {
        this.#file?.abandon();
        this.#file = undefined;
        await this.#loaded.catch(() => {});
    }

    #flushGroup(): void {
        try {
            this.#file ??= new ParquetFile(
                join(this.#folder, `${this.plan.source.name}-${++this.#fileCount}.parquet`),
                this.#decoder.buffers.map(({ column }) => column),
            );
            this.#file.writeRowGroup(this.#decoder.buffers, this.#decoder.rowCount);
        } catch (cause) {
            const { code, message } = cause as NodeJS.ErrnoException;
            if (code === undefined) throw cause;
            throw new ConfigError(
                `${this.plan.table} cannot be brought over: writing to ${this.#folder} failed (${message}). ` +
                    `Some ${fileBytes >> 19} MB are needed there for each connection; warehouse: spill_directory in profiles.yml names another place.`,
                { cause },
            );
        }
        this.#flushedRows += this.#decoder.rowCount;
        this.#decoder.reset();
        if (this.#file.rowCount >= fileRows || this.#file.bytes >= fileBytes) this.#finishFile(this.#file);
    }

    #finishFile(file: ParquetFile): void {
        file.finish();
        this.#file = undefined;
        this.#waiting++;
        this.#loaded = this.#loaded.then(async () => {
            await this.#warehouse.execute(this.#insertStatement(file.path));
            rmSync(file.path);
            this.#waiting--;
        });
        // It is awaited in the end; until then a failure must not count as unhandled.
        this.#loaded.catch(() => {});
    }

    #insertStatement(path: string): string {
        const expressions = this.plan.columns.map(
            ({ column, transport }) => transport?.expression ?? `cast(null as ${column.type})`,
        );
        return `insert into sources.${quoteName(this.plan.source.name)} select ${expressions.join(", ")} from read_parquet(${quoteText(path)})`;
    }

    #describe(problem: ValueProblem, view: DataView, start: number, end: number): ConfigError {
        const { source, table } = this.plan;
        const { column, sourceType } = this.#columns[problem.columnIndex]!;
        const key = describeKey(
            source.primaryKey.map((name) => ({
                name,
                index: this.#columns.findIndex((sent) => sent.column.name === name),
            })),
            this.#columns.map(({ transport }) => transport.reading),
            { view, start: this.rows === 0 ? start + 19 : start, end },
        );
        const row = `row ${this.rows + 1} as read${key && ` (${key})`}`;
        return new ConfigError([
            {
                file: source.file,
                key: `sources.${source.name}.columns.${column.name}`,
                message:
                    `${table}: column ${column.name} (${sourceType}, declared ${column.type}) ${problem.reason}, in ${row}. ` +
                    "Nothing is rounded or cut silently: declare a type that holds it, or read a view that casts it.",
            },
        ]);
    }
}
