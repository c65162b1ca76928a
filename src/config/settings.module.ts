import { Global, Inject, Module } from '@nestjs/common';
import { loadSettings } from './settings.js';

/** The injection token of the settings. */
export const SETTINGS = Symbol('settings');

/** Injects the `Settings`. */
export const InjectSettings = () => Inject(SETTINGS);

@Global()
@Module({
  providers: [{ provide: SETTINGS, useFactory: loadSettings }],
  exports: [SETTINGS],
})
export class SettingsModule {}
