import { render } from 'preact';
import { App } from './app.tsx';
import { startList } from './list.ts';
import './page.css';

startList();
// a task of its own: together with the evaluation of the script it would take longer than a frame may
setTimeout(() => render(<App />, document.getElementById('page')!));
