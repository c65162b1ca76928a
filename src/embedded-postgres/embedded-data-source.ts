import { DataSource, type DataSourceOptions } from 'typeorm';
import type { EmbeddedServer } from './embedded-server.js';

/** A DataSource with an embedded server, which is started before it connects and stopped after it closes. */
export class EmbeddedDataSource extends DataSource {
  constructor(
    options: DataSourceOptions,
    private readonly server: EmbeddedServer,
  ) {
    super(options);
  }

  override async initialize(): Promise<this> {
    await this.server.start();
    try {
      return await super.initialize();
    } catch (error) {
      await this.server.stop();
      throw error;
    }
  }

  override async destroy(): Promise<void> {
    try {
      await super.destroy();
    } finally {
      await this.server.stop();
    }
  }
}
