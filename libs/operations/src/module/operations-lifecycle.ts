// When operations run in the application's life.
//
//   onApplicationBootstrap: begin -> beforeApplicationShutdown: end after the batches under way, while the broker is there
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Operations } from '../operations.js';

@Injectable()
export class OperationsLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(private readonly operations: Operations) {}

  onApplicationBootstrap(): void {
    this.operations.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.operations.close();
  }
}
