import { randomBytes } from "node:crypto";
import type { CompiledModel } from "../compile/compiled.ts";
import type { ModelContext, TypeScriptModel } from "../model.ts";
import { nearestNames, quoteName } from "../names.ts";
import type { Project } from "../project/project.ts";
import { dropStatements, modelSchema, relationName } from "./materialize.ts";
import type { Warehouse } from "./types.ts";

/**
 * Runs a TypeScript model into a table under a name of its own, which takes the model's name in one
 * transaction at the end: a model that fails half way leaves the relation of before.
 */
export async function runTypeScriptModel(
    warehouse: Warehouse,
    model: CompiledModel,
    program: TypeScriptModel,
    project: Project,
    signal: AbortSignal,
): Promise<void> {
    const building = `${model.name}__building_${randomBytes(4).toString("hex")}`;
    const columns = Object.entries(program.columns).map(([name, type]) => `${quoteName(name)} ${type}`);
    await warehouse.execute(`create table ${relationName(building)} (${columns.join(", ")})`);
    try {
        const appender = await warehouse.append(modelSchema, building);
        try {
            const context: ModelContext = {
                ref: (name) => referenced(model, name),
                vars: project.vars,
                read: (sql) => abortable(warehouse.read(sql), signal),
                async write(chunk) {
                    signal.throwIfAborted();
                    await appender.write(chunk);
                },
                signal,
            };
            await program.run(context);
            signal.throwIfAborted();
            await appender.close();
        } finally {
            // Does nothing after `close`.
            await appender.abort();
        }
        await warehouse.executeAll([
            ...(await dropStatements(warehouse, model.name)),
            `alter table ${relationName(building)} rename to ${quoteName(model.name)}`,
        ]);
    } catch (error) {
        await warehouse.execute(`drop table if exists ${relationName(building)}`);
        throw error;
    }
}

function referenced(model: CompiledModel, name: string): string {
    if (model.refs.includes(name)) return relationName(name);
    const near = nearestNames(name, model.refs);
    throw new Error(
        `${model.file}: ref("${name}") is not among the model's refs (${model.refs.join(", ") || "none"})` +
            `${near.length > 0 ? `; did you mean ${near.join(", ")}?` : ""}. Add it to refs, so that it is built before.`,
    );
}

async function* abortable<T>(stream: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
    for await (const item of stream) {
        signal.throwIfAborted();
        yield item;
    }
}
