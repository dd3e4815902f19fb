// The kinds of faults that several scenarios use. Each draws its chance when the plan is made.
import type { TcpProxy } from '@millrace/testing';
import { DEATHS, type Death } from './member/member-config.js';
import type { MemberProcess } from './stage/member-process.js';
import type { FaultKind } from './stage/nemesis.js';
import type { Stage } from './stage/stage.js';

/** Processes that are replaced when they die; a place stays a place. */
export type Crew = MemberProcess[];

export function killRedis(stage: Stage, downMs: readonly [number, number], forgets?: { ms: number }): FaultKind {
  return (prng) => {
    const ms = prng.int(...downMs);
    return {
      what: `kill -9 redis for ${ms} ms`,
      strike: async () => {
        await stage.redis.kill();
        if (forgets) stage.history.note('forgotten', { wall: forgets.ms });
        await stage.wait(ms);
        await stage.redis.restart();
      },
    };
  };
}

export function freezeRedis(stage: Stage, forMs: readonly [number, number]): FaultKind {
  return (prng) => {
    const ms = prng.int(...forMs);
    return {
      what: `freeze redis for ${ms} ms`,
      strike: async () => {
        stage.redis.pause();
        await stage.wait(ms);
        stage.redis.resume();
      },
    };
  };
}

/** SIGKILL, and another one in its place. */
export function killMember(stage: Stage, crew: Crew, downMs: readonly [number, number] = [0, 500]): FaultKind {
  return (prng) => {
    const place = prng.int(0, crew.length - 1);
    const ms = prng.int(...downMs);
    return {
      what: `kill -9 ${crew[place]!.name}`,
      strike: async () => {
        await crew[place]!.kill();
        await stage.wait(ms);
        crew[place] = await stage.again(crew[place]!);
      },
    };
  };
}

/** It dies by its own hand, in the middle of a delivery. */
export function killAtPoint(stage: Stage, crew: Crew, points: readonly Death[] = DEATHS): FaultKind {
  let turn = 0;
  return (prng) => {
    const place = prng.int(0, crew.length - 1);
    const point = points[turn++ % points.length]!;
    return {
      what: `${crew[place]!.name} dies ${point}`,
      strike: async () => {
        const member = crew[place]!;
        member.dieAt(point);
        const late = stage.wait(5_000);
        await Promise.race([member.gone, late]);
        await member.kill();
        crew[place] = await stage.again(member);
      },
    };
  };
}

/** SIGTERM's way: hands everything back, then another one joins. */
export function replaceMember(stage: Stage, crew: Crew): FaultKind {
  return (prng) => {
    const place = prng.int(0, crew.length - 1);
    return {
      what: `${crew[place]!.name} leaves, another joins`,
      strike: async () => {
        const leaving = crew[place]!;
        const [, joined] = await Promise.all([leaving.stop(), stage.again(leaving)]);
        crew[place] = joined;
      },
    };
  };
}

export function freezeMember(stage: Stage, crew: Crew, forMs: readonly [number, number]): FaultKind {
  return (prng) => {
    const place = prng.int(0, crew.length - 1);
    const ms = prng.int(...forMs);
    return {
      what: `freeze ${crew[place]!.name} for ${ms} ms`,
      strike: async () => {
        const member = crew[place]!;
        member.freeze();
        await stage.wait(ms);
        member.thaw();
      },
    };
  };
}

/** The server executes the next call with this word in it, and the caller never hears of it. */
export function loseReply(
  stage: Stage,
  proxies: readonly TcpProxy[],
  name: string,
  word: string,
  withinMs = 4_000,
): FaultKind {
  return (prng) => {
    const proxy = prng.pick(proxies);
    return {
      what: `lose a reply to ${name}`,
      strike: async () => {
        const loss = proxy.dropNextReplyTo(word);
        await Promise.race([loss.done, stage.wait(withinMs)]);
        loss.stop();
        stage.figures[`lost: ${name}`] = Number(stage.figures[`lost: ${name}`] ?? 0) + loss.dropped;
      },
    };
  };
}

export function reset(proxies: readonly TcpProxy[]): FaultKind {
  return (prng) => {
    const proxy = prng.pick(proxies);
    return { what: 'reset connections', strike: async () => proxy.reset() };
  };
}
