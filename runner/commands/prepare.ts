import { resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import { parse } from "yaml";
import { assignPhases } from "../compile/assign-phases.ts";
import { compileInSteps } from "../compile/compile-project.ts";
import type { CompiledProject } from "../compile/compiled.ts";
import { ConfigError, type Problem } from "../errors.ts";
import { loadProject } from "../project/load-project.ts";
import type { Project, VarValue } from "../project/project.ts";
import type { RunPhase } from "../status/phase-track.ts";
import type { CommonOptions, Environment } from "./environment.ts";
import { readSettings, type Settings } from "./settings.ts";

export interface Prepared {
    readonly project: Project;
    readonly compiled: CompiledProject;
    /** Absolute path of target/: warehouse, compiled SQL, records, the sandbox. */
    readonly targetDirectory: string;
    readonly settings: Settings;
    readonly phases: readonly RunPhase[];
}

/**
 * Reads, validates and compiles the project: no database is touched. That is a second of computing where the cores are
 * shared, so it lets signals be heard between files, and ends by one: nothing has begun that would have to be recorded.
 */
export async function prepare(options: CommonOptions, environment: Environment): Promise<Prepared> {
    const pause = async () => {
        await setImmediate();
        environment.signal.throwIfAborted();
    };
    const problems: Problem[] = [];
    const settings = readSettings(environment.env, problems);
    const project = await readProject(options, environment, pause).catch((error) => {
        if (error instanceof ConfigError) throw new ConfigError([...problems, ...error.problems]);
        throw error;
    });
    if (problems.length > 0) throw new ConfigError(problems);
    const compiled = await compile(project, pause);
    const phases = assignPhases(project.phases, compiled);
    return { project, compiled, settings, phases, targetDirectory: targetDirectoryOf(options) };
}

async function compile(project: Project, pause: () => Promise<void>): Promise<CompiledProject> {
    const steps = compileInSteps(project);
    for (;;) {
        const step = steps.next();
        if (step.done) return step.value;
        await pause();
    }
}

async function readProject(
    options: CommonOptions,
    environment: Environment,
    pause: () => Promise<void>,
): Promise<Project> {
    const project = await loadProject({
        pause,
        root: resolve(options.projectDir),
        env: environment.env,
        ...(options.target !== undefined && { target: options.target }),
        ...(options.vars !== undefined && { vars: parseVars(options.vars) }),
    });
    if (options.threads === undefined) return project;
    const warehouse = { ...project.target.warehouse, threads: options.threads };
    return { ...project, target: { ...project.target, warehouse } };
}

export function targetDirectoryOf(options: CommonOptions): string {
    return resolve(options.projectDir, "target");
}

function parseVars(text: string): Readonly<Record<string, VarValue>> {
    const example = "Write YAML or JSON, such as --vars '{elo_k: 160}' or --vars 'elo_k: 160'.";
    let value: unknown;
    try {
        value = parse(text);
    } catch (cause) {
        throw new ConfigError(`--vars cannot be read: ${(cause as Error).message}\n${example}`, { cause });
    }
    if (value === null || typeof value !== "object" || Array.isArray(value)) {
        throw new ConfigError(`--vars is ${JSON.stringify(value)}, not names with values. ${example}`);
    }
    return value as Record<string, VarValue>;
}
