/** A piece of SQL, with where it begins. Words are in lower case, names have lost their quotes. */
export interface Token {
    readonly kind: "word" | "name" | "number" | "text" | "symbol";
    readonly text: string;
    readonly offset: number;
}

/** A pair of parentheses or brackets and what stands between them. */
export interface Group {
    readonly kind: "group";
    readonly open: string;
    readonly items: readonly SqlNode[];
    readonly offset: number;
    /** Behind the closing parenthesis. */
    readonly end: number;
}

export type SqlNode = Token | Group;

export interface Comment {
    readonly text: string;
    readonly offset: number;
    readonly end: number;
}

export interface SqlTree {
    readonly nodes: readonly SqlNode[];
    readonly tokens: readonly Token[];
    readonly comments: readonly Comment[];
}

const pattern = new RegExp(
    [
        /(?<line>--[^\n]*)/,
        /(?<block>\/\*)/,
        /(?<text>[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*')/,
        /(?<dollar>\$(?<tag>[A-Za-z_]\w*)?\$[\s\S]*?\$\k<tag>\$)/,
        /"(?<name>(?:[^"]|"")*)"/,
        /(?<number>\d[\w.]*|\.\d\w*)/,
        /(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)/,
        /(?<symbol>::|[^\s])/,
    ]
        .map(({ source }) => source)
        .join("|"),
    "g",
);

/** SQL as far as the lint has to understand it: words, texts and comments told apart, parentheses paired. */
export function readSqlTree(sql: string): SqlTree {
    const tokens: Token[] = [];
    const comments: Comment[] = [];
    const scan = new RegExp(pattern);
    for (let match = scan.exec(sql); match; match = scan.exec(sql)) {
        const { line, block, text, dollar, name, number, word, symbol } = match.groups!;
        const offset = match.index;
        if (block !== undefined) {
            scan.lastIndex = endOfBlock(sql, offset);
            comments.push({ text: sql.slice(offset, scan.lastIndex), offset, end: scan.lastIndex });
        } else if (line !== undefined) comments.push({ text: line, offset, end: scan.lastIndex });
        else if (word !== undefined) tokens.push({ kind: "word", text: word.toLowerCase(), offset });
        else if (name !== undefined) tokens.push({ kind: "name", text: name.replaceAll('""', '"'), offset });
        else if (number !== undefined) tokens.push({ kind: "number", text: number, offset });
        else if (symbol !== undefined) tokens.push({ kind: "symbol", text: symbol, offset });
        else tokens.push({ kind: "text", text: (text ?? dollar)!, offset });
    }
    return { nodes: pairGroups(tokens, sql.length), tokens, comments };
}

/** Comments in slashes may hold others. */
function endOfBlock(sql: string, from: number): number {
    const marks = /\/\*|\*\//g;
    marks.lastIndex = from;
    let depth = 0;
    for (let mark = marks.exec(sql); mark; mark = marks.exec(sql)) {
        depth += mark[0] === "/*" ? 1 : -1;
        if (depth === 0) return marks.lastIndex;
    }
    return sql.length;
}

function pairGroups(tokens: readonly Token[], end: number): readonly SqlNode[] {
    const open: { readonly token?: Token; readonly items: SqlNode[] }[] = [{ items: [] }];
    const close = (at: number) => {
        const { token, items } = open.pop()!;
        open.at(-1)!.items.push({ kind: "group", open: token!.text, items, offset: token!.offset, end: at });
    };
    for (const token of tokens) {
        if (token.kind === "symbol" && "([{".includes(token.text)) open.push({ token, items: [] });
        else if (token.kind === "symbol" && ")]}".includes(token.text)) {
            // One too many is the engine's to tell.
            if (open.length > 1) close(token.offset + 1);
        } else open.at(-1)!.items.push(token);
    }
    while (open.length > 1) close(end);
    return open[0]!.items;
}

export function isWord(node: SqlNode | undefined, ...words: readonly string[]): boolean {
    return node?.kind === "word" && words.includes(node.text);
}

export function isSymbol(node: SqlNode | undefined, symbol: string): boolean {
    return node?.kind === "symbol" && node.text === symbol;
}

type Parentheses = Group & { readonly open: "(" };

export function isGroup(node: SqlNode | undefined): node is Parentheses {
    return node?.kind === "group" && node.open === "(";
}

/** A subquery in parentheses. */
export function isQuery(node: SqlNode | undefined): node is Parentheses {
    return isGroup(node) && isWord(node.items[0], "select", "with", "from", "values");
}

export function splitAtCommas(nodes: readonly SqlNode[]): readonly (readonly SqlNode[])[] {
    const parts: SqlNode[][] = [[]];
    for (const node of nodes) {
        if (isSymbol(node, ",")) parts.push([]);
        else parts.at(-1)!.push(node);
    }
    return parts.filter((part) => part.length > 0);
}

/** The column that an expression is, when it is nothing but one: `total` of `orders.total`. */
export function columnOf(nodes: readonly SqlNode[]): string | undefined {
    const isPath = nodes.every((node, index) =>
        index % 2 === 0 ? node.kind === "word" || node.kind === "name" : isSymbol(node, "."),
    );
    const last = nodes.at(-1);
    return isPath && nodes.length % 2 === 1 && last?.kind !== "group" ? last?.text : undefined;
}
