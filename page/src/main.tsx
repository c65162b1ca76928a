import { render } from 'preact';
import { App } from './app.tsx';
import { startList } from './list.ts';
import './page.css';

startList();
render(<App />, document.getElementById('page')!);
