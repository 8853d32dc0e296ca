import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CandidateList, parseFragment } from '../phone/trickle.js';

const description = (/** @type {string} */ ufrag) => [
  'v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0', 'a=group:BUNDLE 0 1',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111', `a=ice-ufrag:${ufrag}`, 'a=ice-pwd:secret', 'a=mid:0',
  'm=video 9 UDP/TLS/RTP/SAVPF 96', `a=ice-ufrag:${ufrag}`, 'a=ice-pwd:secret', 'a=mid:1', '',
].join('\r\n');
const host = 'candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host';
const relay = 'candidate:2 1 udp 1 192.0.2.2 6000 typ relay raddr 0.0.0.0 rport 0';

test('a fragment repeats what was sent and ends with the news', () => {
  const list = new CandidateList();
  list.begin(description('AbCd'));
  assert.equal(list.fragment, '');
  assert(list.add({ candidate: host, sdpMid: '0', usernameFragment: 'AbCd' }));
  assert(!list.add({ candidate: host, sdpMid: '0' }), 'known');
  list.begin(description('AbCd'));
  assert(list.add({ candidate: relay, sdpMid: '0' }));
  assert(list.add({ candidate: '', sdpMid: '0' }));
  assert.equal(list.fragment, [
    'a=ice-ufrag:AbCd', 'a=ice-pwd:secret', 'm=audio 9 RTP/AVP 0', 'a=mid:0', `a=${host}`, `a=${relay}`, 'a=end-of-candidates', '',
  ].join('\r\n'));
});

test('an ICE restart begins a new list, and late candidates of the old one are left out', () => {
  const list = new CandidateList();
  list.begin(description('old1'));
  list.add({ candidate: host, sdpMid: '0' });
  list.begin(description('new1'));
  assert.equal(list.fragment, '');
  assert(!list.add({ candidate: relay, sdpMid: '0', usernameFragment: 'old1' }));
  assert(!list.add({ candidate: relay, sdpMid: '7' }), 'no such line');
});

test('a fragment is read as it was written', () => {
  const list = new CandidateList();
  list.begin(description('AbCd'));
  list.add({ candidate: host, sdpMid: '0' });
  list.add({ candidate: relay, sdpMid: '1' });
  list.add({ candidate: '', sdpMid: '1' });
  assert.deepEqual(parseFragment(list.fragment), [
    { candidate: host, sdpMid: '0', usernameFragment: 'AbCd' },
    { candidate: relay, sdpMid: '1', usernameFragment: 'AbCd' },
    { candidate: '', sdpMid: '1', usernameFragment: 'AbCd' },
  ]);
});

test('anything else in a fragment does no harm', () => {
  assert.deepEqual(parseFragment(''), []);
  assert.deepEqual(parseFragment('nonsense\na=candidate:1\nm=audio\na=candidate:2\na=mid:x\na=candidate:3\nm=video\na=candidate:4'),
    [{ candidate: 'candidate:3', sdpMid: 'x', usernameFragment: undefined }]);
});
