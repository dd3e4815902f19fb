// Downloads Debian packages and unpacks them into a folder. Installs nothing and needs no special user.
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onPath } from './find-binary.js';
import { runCommand } from './run-command.js';

const TARGET = '$(SITE)|$(CODENAME)|$(COMPONENT)';
const DEBIAN_KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';

export function canUnpackDebianPackages(): boolean {
  return Boolean(onPath('apt-get') && onPath('apt-cache') && onPath('dpkg') && onPath('ldd'));
}

export class DebianPackages {
  private readonly downloads: string;
  private readonly lists: string;
  private readonly options: string[];
  private ownLists = false;

  /** @param work scratch folder, removed by the caller @param root where the packages are unpacked */
  constructor(
    work: string,
    private readonly root: string,
  ) {
    this.downloads = join(work, 'debs');
    this.lists = join(work, 'lists');
    this.options = ['-q', '-o', `Dir::Cache=${join(work, 'cache')}`, '-o', 'Debug::NoLocking=1'];
    // Root's apt-get would otherwise download as a user that cannot write into our folder.
    this.options.push('-o', 'APT::Sandbox::User=root', '-o', 'Acquire::Retries=2', '-o', 'Acquire::http::Timeout=30');
  }

  async prepare(): Promise<void> {
    const archives = join(this.downloads, '..', 'cache', 'archives', 'partial');
    for (const folder of [join(this.lists, 'partial'), archives, this.downloads, this.root]) {
      await mkdir(folder, { recursive: true });
    }
  }

  /** Takes packages from the backports of this release: lists of our own, the system's settings stay as they are. */
  async useBackports(): Promise<void> {
    const targets = await runCommand('apt-get', ['indextargets', '--format', TARGET, 'Created-By: Packages']);
    const [site, release] =
      targets
        .split('\n')
        .map((line) => line.split('|'))
        .find(([, name, component]) => component === 'main' && name && !name.includes('-')) ?? [];
    if (!site) throw new Error('apt-get names no source of this release');
    const signed = existsSync(DEBIAN_KEYS) ? `[signed-by=${DEBIAN_KEYS}] ` : '';
    const sources = join(this.downloads, '..', 'sources.list');
    const suites = [release, `${release}-backports`];
    await writeFile(sources, suites.map((suite) => `deb ${signed}${site} ${suite} main\n`).join(''));
    this.options.push('-o', `Dir::Etc::sourcelist=${sources}`, '-o', 'Dir::Etc::sourceparts=/dev/null');
    await this.useOwnLists();
    this.options.push('-t', `${release}-backports`);
  }

  async unpack(names: string[]): Promise<void> {
    await this.download(names);
    for (const file of await readdir(this.downloads)) {
      await runCommand('dpkg', ['-x', join(this.downloads, file), this.root]);
      await rm(join(this.downloads, file));
    }
  }

  /** The libraries a package depends on directly; the C library is always there. */
  async libraries(name: string): Promise<string[]> {
    return (await this.dependencies(name)).filter((other) => other.startsWith('lib') && other !== 'libc6');
  }

  /** These packages and all others whose names match that they depend on, directly or not. */
  async closure(names: readonly string[], matching: RegExp): Promise<string[]> {
    const all = new Set(names);
    for (const name of all) {
      for (const other of await this.dependencies(name)) if (matching.test(other)) all.add(other);
    }
    return [...all];
  }

  private async dependencies(name: string): Promise<string[]> {
    const skip = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map(
      (kind) => `--no-${kind}`,
    );
    const text = await runCommand('apt-cache', [...this.options, 'depends', ...skip, name]);
    // Names in angle brackets are those of virtual packages: their providers follow, indented further.
    return [...text.matchAll(/^ {1,2}\|?(?:Pre)?Depends: ([^\s<]\S*)/gm)].map((match) => match[1] ?? '');
  }

  /** Uses the system's package lists first; they are often missing or out of date, then fetches lists of our own. */
  private async download(names: string[]): Promise<void> {
    try {
      await this.aptGet('download', ...names);
    } catch (error) {
      if (this.ownLists) throw error;
      await this.useOwnLists();
      await this.aptGet('download', ...names);
    }
  }

  private async useOwnLists(): Promise<void> {
    this.ownLists = true;
    this.options.push('-o', `Dir::State::Lists=${this.lists}`, '-o', 'Acquire::Languages=none');
    await this.aptGet('update');
  }

  private async aptGet(...args: string[]): Promise<void> {
    await runCommand('apt-get', [...this.options, ...args], { cwd: this.downloads });
  }
}
