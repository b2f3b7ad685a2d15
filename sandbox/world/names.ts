import type { Random } from "./random.ts";

const firstWords =
    "Royal Silver Golden Midnight Crimson Wild Lucky Southern Northern Grand Noble Electric Secret Velvet Iron Dancing Flying Distant Burning Frozen Quiet Hidden Sacred Rapid Brave Gentle Mighty Ancient Scarlet Emerald Sapphire Copper Ivory Amber Desert Ocean River Mountain Thunder Winter Summer Autumn Lonely Happy Proud Clever Gallant Daring Rising Falling Shining Blazing Smart Tiger Dragon Eagle Falcon Phantom Captain Admiral Duchess Prince Lady Sir Miss Mister Doctor Professor Café".split(
        " ",
    );
const secondWords =
    "Star Storm Dancer Spirit Dream Arrow Flame Shadow Legend Knight Queen King Prince Rose Song Wind Fire Moon Sun Sky Tide Wave Crown Jewel Diamond Pearl Bullet Rocket Comet Meteor Whisper Echo Promise Wish Charm Magic Mystery Fortune Treasure Glory Honour Victory Valour Courage Warrior Hunter Ranger Rider Runner Racer Chaser Seeker Maker Breaker Express Avenue Boulevard Harbour Island Bay Ridge Valley Canyon Prairie Meadow Garden Palace Castle Tower Bridge Gate Road Lane Crossing Symphony Melody Rhapsody Waltz Tango Samba Rumba Reward Affair Encore Bandit Outlaw Rebel Pirate Gypsy Wizard Oracle Prophet Emperor Sultan Baron Marquis".split(
        " ",
    );
const owners =
    "O'Reilly's D'Artagnan's Nature's Devil's Angel's Heaven's Mother's Bobby's Charlie's Jack's O'Hara's King's".split(
        " ",
    );
const given =
    "James Tom Jack Ben Luke Mark Craig Damien Hugh Kerrin Jamie Rachel Kathy Linda Michelle Samantha Lisa Zac Joao Karis Vincent Alexis Matthew Andrew Brenton Harry Ethan Dylan Blake Josh Tim Jason Tommy Nash Regan Adam Jordan Clayton Taylor Sam Jake Daniel Robbie Warren Opie Danielle Leith Masa Ryan Mickael William Oisin Christophe Yutaka Irad".split(
        " ",
    );
const family =
    "Smith Brown Wilson Taylor Clark Walker Young Allan Bowman Berry McDonald McEvoy Oliver Lane Bossom Shinn Collett Parr Schofield Avdulla Clipperton Moreira Purton Teetan Hamelin Badel Bentley Ho Leung Chan Poon Wong Yeung Lui Lor Fownes Size Shum Hayes Whyte Cruz Gibson Waller Waterhouse Bott Snowden Maher Price Freedman Weir Moody Busuttin Young Hickmott O'Shea O'Brien Payne Dee Mallyon Melham Egan Baster Noonan Yendall Boss Kah Nugent Rawiller Spriggs Reith Hyeronimus Brenton Gollan Heathcote Edmonds Lees Pride Hawkes Portelli Cummings Thompson Ryan Marsh Pike Forsman Richards James Baker Walsh Autridge Innes Waddell Jones Grylls Kennedy McKay Bosson Johnson Cameron Coleman Dunlop Fabre Prescott Buick Murphy Dettori Lemaire Take Kawada Ortiz Prat Rosario".split(
        " ",
    );

/** Names nobody has had yet. */
export class NameBook {
    private readonly taken = new Set<string>();
    private readonly random: Random;

    constructor(random: Random) {
        this.random = random;
    }

    horse(): string {
        return this.fresh((attempt) => {
            const { random } = this;
            const second = random.pick(secondWords);
            const chance = random.unit();
            const name =
                chance < 0.05
                    ? `${random.pick(owners)} ${second}`
                    : chance < 0.065
                      ? `${random.pick(firstWords)} & ${second}`
                      : `${random.pick(firstWords)} ${second}`;
            if (attempt < 2) return name;
            return attempt < 6 ? `${name} ${random.pick(secondWords)}` : `${name} ${roman(attempt)}`;
        });
    }

    person(): string {
        return this.fresh((attempt) => {
            const { random } = this;
            const initial = String.fromCharCode(65 + random.integer(24));
            const first = random.pick(given);
            return `${attempt === 0 ? first : `${first} ${initial}`} ${random.pick(family)}`;
        });
    }

    private fresh(make: (attempt: number) => string): string {
        for (let attempt = 0; ; attempt++) {
            const name = make(attempt);
            const slug = toSlug(name);
            if (this.taken.has(slug)) continue;
            this.taken.add(slug);
            return name;
        }
    }
}

/** `O'Reilly's Café` → `o-reilly-s-cafe` */
export function toSlug(name: string): string {
    return name
        .normalize("NFD")
        .replace(/\p{Mn}/gu, "")
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, "-")
        .replace(/^-|-$/g, "");
}

function roman(value: number): string {
    return "I".repeat(value % 5) + "V".repeat(Math.floor(value / 5));
}
