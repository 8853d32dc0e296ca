const SVG = 'http://www.w3.org/2000/svg';

/** Outlines in a square of 24, drawn with round strokes. */
const PATHS = {
  phone: 'M6.5 3.5h2.6l1.5 4.2-2 1.6a12 12 0 0 0 6.1 6.1l1.6-2 4.2 1.5v2.6a2 2 0 0 1-2.2 2A17 17 0 0 1 4.5 5.7a2 2 0 0 1 2-2.2Z',
  telephone: 'M5 10.500c-1.500 0-2.500-1-2.500-2.500 0-2 4-3.500 9.500-3.500s9.500 1.500 9.500 3.500c0 1.500-1 2.500-2.500 2.500s-2.500-1-2.500-2.500h-9c0 1.500-1 2.500-2.500 2.500ZM8.500 8v2L5 14.500V19h14v-4.500L15.500 10V8M12 12.500a2 2 0 1 1 0 4 2 2 0 0 1 0-4Z',
  video: 'M4.5 6.5h9a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2Zm11 4 6-3.5v10l-6-3.5',
  videoOff: 'M10 6.5h3.5a2 2 0 0 1 2 2v2l6-3.5v10l-4-2.3M15.5 15.5a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2M3 3l18 18',
  microphone: 'M12 3.5a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0v-5a3 3 0 0 1 3-3ZM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3',
  microphoneOff: 'M9 9v2.5a3 3 0 0 0 4.5 2.6M15 11.500V6.500a3 3 0 0 0-5.800-1.100M5.500 11.500a6.500 6.500 0 0 0 10 5.500M18.500 11.500a6.500 6.500 0 0 1-.5 2.500M12 18v3M3 3l18 18',
  hangUp: 'M2.800 14.800c-.900-.900-1-2.400 0-3.400 5-4.600 13.400-4.600 18.400 0 1 1 .900 2.500 0 3.400l-1.200 1.200-4-2v-2.500a12 12 0 0 0-8 0V14l-4 2Z',
  back: 'M14.500 5 7.500 12l7 7',
  close: 'M6 6l12 12M18 6 6 18',
};

/**
 * A picture beside words; it says nothing to a screen reader.
 *
 * @param {keyof typeof PATHS} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  for (const [key, value] of Object.entries({ class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true', focusable: 'false' })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}
