/// Descriptions in the shape that phones send them.
enum Phones {
    /// SIPp's stock scenarios: one static codec, no attributes but its map.
    static let sipp = phone("m=audio 6000 RTP/AVP 0\na=rtpmap:0 PCMU/8000")

    /// No map for static types at all, and an old codec in front.
    static let bare = phone("m=audio 5004 RTP/AVP 18 8 0")

    /// A desk phone of the Yealink kind.
    static let desk = phone(
        """
        m=audio 11780 RTP/AVP 0 8 18 9 101
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:18 G729/8000
        a=fmtp:18 annexb=no
        a=rtpmap:9 G722/8000
        a=fmtp:101 0-15
        a=rtpmap:101 telephone-event/8000
        a=ptime:20
        a=sendrecv
        """)

    /// The same with SRTP switched on: keys of three kinds, one with a lifetime, one with an identifier.
    static let secureDesk = phone(
        """
        m=audio 11780 RTP/SAVP 0 8 101
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=crypto:1 F8_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz
        a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4
        a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^31
        a=crypto:4 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj
        a=rtpmap:101 telephone-event/8000
        """)

    /// A Snom of old with "optional" encryption: two lines for one stream.
    static let twoLines = phone(
        """
        m=audio 54010 RTP/SAVP 9 0 101
        a=rtpmap:9 G722/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:101 telephone-event/8000
        a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj
        m=audio 54010 RTP/AVP 9 0 101
        a=rtpmap:9 G722/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:101 telephone-event/8000
        """)

    /// A video phone of the Grandstream kind: RTCP elsewhere, plain Baseline, a bandwidth for pictures.
    static let video = phone(
        """
        m=audio 5004 RTP/AVP 8 0 101
        a=rtcp:5050 IN IP4 192.0.2.78
        a=rtpmap:8 PCMA/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:101 telephone-event/8000
        a=ptime:30
        m=video 5006 RTP/AVP 99
        b=AS:1024
        a=rtpmap:99 H264/90000
        a=fmtp:99 profile-level-id=42801F; packetization-mode=1; sprop-parameter-sets=Z0KAHtoC0EiYgA==,aM48gA==
        """)

    /// Linphone with AVPF on.
    static let linphone = phone(
        """
        m=audio 7078 RTP/AVPF 96 97 0 8 101 99
        a=rtpmap:96 opus/48000/2
        a=fmtp:96 useinbandfec=1
        a=rtpmap:97 speex/16000
        a=rtpmap:101 telephone-event/48000
        a=rtpmap:99 telephone-event/8000
        a=rtcp-fb:* trr-int 1000
        a=rtcp-fb:* ccm tmmbr
        m=video 9078 RTP/AVPF 96 97
        a=rtpmap:96 VP8/90000
        a=rtpmap:97 H264/90000
        a=fmtp:97 profile-level-id=42801F
        a=rtcp-fb:* trr-int 1000
        a=rtcp-fb:* ccm tmmbr
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 nack sli
        a=rtcp-fb:96 ccm fir
        a=rtcp-fb:97 nack pli
        """)

    /// A phone that speaks DTLS-SRTP, without ICE.
    static let dtls = phone(
        """
        m=audio 33836 UDP/TLS/RTP/SAVP 8 101
        a=rtpmap:8 PCMA/8000
        a=rtpmap:101 telephone-event/8000
        a=fingerprint:sha-256 E6:97:AA:F9:7D:E8:EA:50:1B:EE:29:7D:C6:57:A2:0C:31:01:C9:C9:5B:30:86:C2:04:BC:BD:C5:3E:8C:84:2A
        a=setup:actpass
        a=rtcp-mux
        """)

    /// A fax and a text telephone beside the sound.
    static let others = phone(
        """
        m=image 4000 udptl t38
        a=T38FaxVersion:0
        m=audio 5004 RTP/AVP 0
        m=text 5010 RTP/AVP 98
        a=rtpmap:98 t140/1000
        """)

    static let all = [sipp, bare, desk, secureDesk, twoLines, video, linphone, dtls, others]
}
