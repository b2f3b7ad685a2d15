import { type Command, Option } from "commander";
import { exitCodes } from "../errors.ts";
import type { RunRecord } from "../status/artifacts.ts";
import { perturbations } from "../testing/replay/perturbation.ts";
import { audit } from "./audit.ts";
import { clean } from "./clean.ts";
import { compile } from "./compile.ts";
import { debug } from "./debug.ts";
import type { Environment } from "./environment.ts";
import { type ExportOptions, exportFile } from "./export.ts";
import { generations } from "./generations.ts";
import { type LintOptions, lint } from "./lint.ts";
import { listedKinds, ls } from "./ls.ts";
import { type MatrixOptions, matrix } from "./matrix.ts";
import { addOperations } from "./operations-verbs.ts";
import { dryRun, type PublishOptions, publish, resume } from "./publish.ts";
import { rollback } from "./rollback.ts";
import { run } from "./run.ts";
import { sandboxLoad, sandboxReset, sandboxRun } from "./sandbox.ts";
import { seed } from "./seed.ts";
import { show } from "./show.ts";
import { test } from "./test.ts";
import {
    columnsOption,
    examples,
    excludeOption,
    isoDay,
    optionsOf,
    overrideOption,
    selectOption,
    tierOption,
    verb,
    wholeNumber,
    withoutTierOption,
} from "./verb.ts";

interface PublishVerbOptions extends PublishOptions {
    readonly dryRun: boolean;
    readonly resume: boolean;
}

type SetExitCode = (code: number) => void;

/** The commander program: options, help texts and examples; every action is one call of a command. */
export function addCommands(program: Command, environment: Environment, setExitCode: SetExitCode): void {
    program
        .name("rebuild")
        .description("Builds SQL models in DuckDB, tests them, and publishes them into Postgres in one swap.")
        .version(environment.version, "-V, --version", "print the version")
        .helpOption("-h, --help", "print help")
        .helpCommand(false)
        .showHelpAfterError("(add --help for the options and examples)")
        .addHelpText("after", helpAfter)
        .configureOutput({
            writeOut: (text) => environment.output.data(text.trimEnd()),
            writeErr: (text) => environment.output.note(text.trimEnd(), "error"),
        })
        .exitOverride();

    const end = ({ exitCode }: RunRecord) => setExitCode(exitCode);

    verb(program, "run", "Extract, seed, build, test and publish; with a selection, a part of it")
        .addOption(selectOption())
        .addOption(excludeOption())
        .option("--no-publish", "stop after the tests")
        .addOption(overrideOption())
        .addHelpText(
            "after",
            examples(
                ["run", "everything, published"],
                [
                    "run --select career+",
                    "one model and all that depends on it, from the sources of the last run",
                ],
                ["run --no-publish --target files", "build and test only"],
                ["run --json | jq .status", "the run record for a program"],
            ),
        )
        .action(async (_, command: Command) => end(await run(optionsOf(command), environment)));

    verb(program, "test", "Run the tests against the last good warehouse")
        .addOption(selectOption())
        .addOption(excludeOption())
        .addHelpText(
            "after",
            examples(["test", "all tests"], ["test --select tag:features", "the tests of some models"]),
        )
        .action(async (_, command: Command) => end(await test(optionsOf(command), environment)));

    verb(program, "audit", "Replay days of the history: no row may know of its own day or later")
        .option("--days <count>", "days chosen over the history (default: rebuild.yml, else 5)", wholeNumber)
        .addOption(new Option("--day <date>", "this day alone").argParser(isoDay).conflicts("days"))
        .addOption(
            new Option("-m, --model <selection...>", "these models, in the grammar of --select").default(
                [],
                "all with as_of",
            ),
        )
        .option("--seed <number>", "other days, and other changes of the sources", wholeNumber)
        .option("--whole", "replay days on the whole history, not on a slice of a long one")
        .addOption(
            new Option("--perturbations <kinds...>", "how the sources are changed, on each day")
                .choices(perturbations)
                .default([], "each day cut, the last removed, the busiest replaced and reordered"),
        )
        .option("--trace <seconds>", "how long to look for the event that leaked", wholeNumber, 60)
        .addHelpText(
            "after",
            examples(
                ["audit --days 20", "twenty days"],
                ["audit --day 2024-03-02 --model career+", "one day, some models"],
                ["audit --perturbations replaced reordered", "other changes than every run makes"],
                ["audit --json | jq .audit", "for a program; the whole audit is in target/audit.json"],
            ),
        )
        .action(async (_, command: Command) => end(await audit(optionsOf(command), environment)));

    verb(program, "seed", "Load the seeds into the last good warehouse and test them")
        .addOption(selectOption())
        .addOption(excludeOption())
        .addHelpText("after", examples(["seed", "all seeds"], ["seed --select tracks", "one of them"]))
        .action(async (_, command: Command) => end(await seed(optionsOf(command), environment)));

    verb(program, "publish", "Publish the tagged models from the last good warehouse")
        .addOption(selectOption())
        .addOption(excludeOption())
        .addOption(overrideOption())
        .addHelpText(
            "after",
            examples(
                ["publish", "all published models, swapped in together"],
                ["publish --override row-count", "although the new table is smaller than its bounds allow"],
            ),
        )
        .option("--dry-run", "print what would be done, every DDL statement included", false)
        .option(
            "--resume",
            "only swap in the build that an earlier publish finished and could not swap",
            false,
        )
        .action(async (_, command: Command) => {
            const { dryRun: isDry, resume: isResume, ...options } = optionsOf<PublishVerbOptions>(command);
            if (isDry) return dryRun(options, environment);
            return end(isResume ? await resume(options, environment) : await publish(options, environment));
        });

    verb(program, "rollback", "Put an archived generation back into service, by the same swap")
        .option("--to <generation>", "its number (default: the one before the latest swap)", wholeNumber)
        .addHelpText(
            "after",
            examples(
                ["rollback", "back to before the last publish"],
                ["rollback --to 7", "a named one; `rebuild generations` lists them"],
            ),
        )
        .action(async (_, command: Command) => end(await rollback(optionsOf(command), environment)));

    verb(program, "generations", "List what was published and rolled back")
        .addHelpText(
            "after",
            examples(["generations", "the latest first"], ["generations --json", "for a program"]),
        )
        .action((_, command: Command) => generations(optionsOf(command), environment));

    addOperations(program, environment, setExitCode);

    verb(program, "ls", "List sources, seeds, models and tests, in build order")
        .addOption(selectOption())
        .addOption(excludeOption())
        .addOption(new Option("--type <kind>", "only this kind").choices(listedKinds))
        .addHelpText(
            "after",
            examples(
                ["ls", "everything"],
                ["ls --select +career", "a model and all it needs"],
                ["ls --type test --json", "tests, for a program"],
            ),
        )
        .action(async (_, command: Command) => void (await ls(optionsOf(command), environment)));

    verb(program, "compile", "Write the compiled SQL to target/compiled; print what is selected")
        .addOption(selectOption())
        .addOption(excludeOption())
        .addHelpText(
            "after",
            examples(
                ["compile", "check and write everything"],
                ["compile --select career", "print one model's SQL"],
            ),
        )
        .action((_, command: Command) => compile(optionsOf(command), environment));

    verb(program, "lint", "List forms of SQL that may leak, in models with as_of and what they read")
        .addOption(selectOption())
        .addOption(excludeOption())
        .option("--accepted", "what was accepted too, with the reasons", false)
        .addHelpText(
            "after",
            examples(
                ["lint", "all that nobody accepted"],
                ["lint --select career --accepted", "everything in one model"],
                ["lint --json", "all of it, for a program"],
            ),
        )
        .action(async (_, command: Command) =>
            setExitCode(
                (await lint(optionsOf<LintOptions>(command), environment))
                    ? exitCodes.done
                    : exitCodes.failed,
            ),
        );

    verb(program, "show", "Print rows of the last good warehouse")
        .argument("[name]", "a model, a seed, or sources.<name>")
        .option("--inline <sql>", "run this SQL instead; {{ref}} and {{source}} work")
        .option("--limit <rows>", "how many rows", wholeNumber, 10)
        .addOption(tierOption())
        .addOption(withoutTierOption())
        .addOption(columnsOption())
        .addHelpText(
            "after",
            examples(
                ["show career --limit 3", "rows of a model"],
                ["show career --without-tier market", "without the columns of one tier"],
                [`show --inline 'select count(*) from {{ref "career"}}'`, "a query of yours"],
            ),
        )
        .action(
            async (name: string | undefined, _, command: Command) =>
                void (await show(
                    { ...optionsOf(command), ...(name !== undefined && { name }) },
                    environment,
                )),
        );

    verb(program, "export", "Write rows of the last good warehouse to a Parquet or CSV file")
        .argument("<name>", "a model, a seed, or sources.<name>")
        .requiredOption("--to <file>", "what to write: its name ends with .parquet, .csv or .csv.gz")
        .addOption(tierOption())
        .addOption(withoutTierOption())
        .addOption(columnsOption())
        .addHelpText(
            "after",
            examples(
                ["export career --to career.parquet", "all columns of a model"],
                ["export career --without-tier market --to career.csv.gz", "without the columns of one tier"],
            ),
        )
        .action(
            async (name: string, _, command: Command) =>
                void (await exportFile({ ...optionsOf<ExportOptions>(command), name }, environment)),
        );

    verb(program, "matrix", "Measure on which source columns each column depends; hold it against its tier")
        .option("--model <names...>", "models with as_of (default: the published ones)")
        .addOption(new Option("--columns <names...>", "show only these columns"))
        .option("--source <columns...>", "change only these, as source.column (default: all)")
        .option("--events <count>", "how many of the latest events to build", wholeNumber, 1000)
        .option("--day <date>", "the day on which sources are changed (default: a busy one)", isoDay)
        .addHelpText(
            "after",
            examples(
                ["matrix", "every column, written to target/dependence.txt and .json"],
                ["matrix --source orders.total --columns total_share", "one source column, one column shown"],
            ),
        )
        .action(async (_, command: Command) => {
            const { violations } = await matrix(optionsOf<MatrixOptions>(command), environment);
            setExitCode(violations.length > 0 ? exitCodes.failed : exitCodes.done);
        });

    verb(program, "debug", "Check settings, connections, sources and the warehouse")
        .addHelpText(
            "after",
            examples(["debug", "the target that a run would take"], ["debug --target production", "another"]),
        )
        .action(async (_, command: Command) =>
            setExitCode((await debug(optionsOf(command), environment)) ? exitCodes.done : exitCodes.notMade),
        );

    verb(program, "clean", "Remove what runs left in target/")
        .option("--all", "the sandbox's database too", false)
        .addHelpText(
            "after",
            examples(
                ["clean", "warehouse, compiled SQL and records"],
                ["clean --all", "the sandbox as well"],
            ),
        )
        .action((_, command: Command) => clean(optionsOf(command), environment));

    const sandbox = verb(
        program,
        "sandbox",
        "Keep the sandbox database running until Ctrl-C and print its URL",
    )
        .addHelpText(
            "after",
            examples(
                ["sandbox", "run it, to look around with psql"],
                ["sandbox load ../data", "put your own files into it"],
                ["sandbox reset --size 50000 --seed 7", "simulate anew"],
            ),
        )
        .action((_, command: Command) => sandboxRun(optionsOf(command), environment));
    verb(sandbox, "load", "Replace the sandbox's source tables by files")
        .argument("<folder>", "CSV, CSV.gz or Parquet files named as the source tables")
        .addHelpText("after", examples(["sandbox load ../data", "then `rebuild run` builds from them"]))
        .action((folder: string, _, command: Command) =>
            sandboxLoad({ ...optionsOf(command), folder }, environment),
        );
    verb(sandbox, "reset", "Replace the sandbox's source tables by a simulated world")
        .option("--size <events>", "how large a world", wholeNumber)
        .option("--seed <number>", "another world of the same size", wholeNumber)
        .addHelpText("after", examples(["sandbox reset --size 50000", "a larger world"]))
        .action((_, command: Command) => sandboxReset(optionsOf(command), environment));
}

const helpAfter = `
Examples:
  rebuild run                     # everything: extract, seed, build, test, publish
  rebuild run --select career+    # a model and what depends on it
  rebuild test                    # all tests against the last good warehouse
  rebuild audit --days 20         # replay twenty days: does any row know of its own day or later?
  rebuild show career --limit 5   # look at rows

With DATABASE_URL set, source and target are that database; without it, an embedded Postgres under target/.
Exit codes: 0 done, 1 a model, test or gate failed and nothing was published, 2 the run could not be made,
3 another run holds the lock, 4 the disk is full, 5 DuckDB's memory limit, 6 a connection was lost, 130 interrupted.`;
