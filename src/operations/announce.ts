import { Logger } from '@nestjs/common';

/** Says where the service is. */
export function announce(url: string): void {
  const log = new Logger('Marathon registry');
  log.log(`Page: ${url}/`);
  log.log(`API: ${url}/marathon/`);
  log.log(`Documentation: ${url}/docs`);
}
