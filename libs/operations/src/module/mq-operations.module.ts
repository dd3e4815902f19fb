// What applications import.
import { Module } from '@nestjs/common';
import { ConfigurableModuleClass, type ASYNC_OPTIONS_TYPE } from './mq-operations.module-definition.js';

/** What `MqOperationsModule.forRootAsync` takes. */
export type MqOperationsModuleAsyncOptions = typeof ASYNC_OPTIONS_TYPE;

/**
 * Long operations on the dead letters of one connection; every module can inject `Operations`. Import it after `MqModule`:
 * what is imported last is stopped first. With `run: false` this process only starts and watches operations.
 */
@Module({})
export class MqOperationsModule extends ConfigurableModuleClass {}
