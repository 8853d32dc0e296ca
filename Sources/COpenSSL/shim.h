// OpenSSL 3 for DTLS and SRTP. What Swift cannot say itself, because it is a macro or has variable arguments, stands below as
// inline functions; nothing here decides anything. Limits and meaning live in Sources/DTLS and Sources/SRTP.
//
// These are not the symbols of swift-nio-ssl and swift-crypto: BoringSSL's have a prefix there.

#ifndef HEARTH_COPENSSL_H
#define HEARTH_COPENSSL_H

// SHA1_Init and its companions are "deprecated" in favour of an interface that allocates for every message.
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/srtp.h>
#include <openssl/x509.h>
#include <string.h>

// MARK: SRTP

/// What is authenticated beside the text of a packet: two runs of bytes, the second of them perhaps empty.
typedef struct {
    const void *first;
    int first_count;
    const void *second;
    int second_count;
} hearth_associated;

static inline int hearth_gcm_begin(EVP_CIPHER_CTX *context, const void *nonce, hearth_associated data, int encrypt) {
    int made = 0;
    return EVP_CipherInit_ex(context, NULL, NULL, NULL, (const unsigned char *)nonce, encrypt) == 1
        && EVP_CipherUpdate(context, NULL, &made, (const unsigned char *)data.first, data.first_count) == 1
        && (data.second_count == 0
            || EVP_CipherUpdate(context, NULL, &made, (const unsigned char *)data.second, data.second_count) == 1);
}

static inline int hearth_cipher_update(EVP_CIPHER_CTX *context, void *text, int count) {
    int made = 0;
    return count == 0
        || EVP_CipherUpdate(context, (unsigned char *)text, &made, (const unsigned char *)text, count) == 1;
}

/// AES-GCM in place under the context's key: 1, or 0 when OpenSSL refuses. `nonce` has 12 bytes, `tag` gets 16.
static inline int hearth_gcm_seal(
    EVP_CIPHER_CTX *context, const void *nonce, hearth_associated data, void *text, int count, void *tag) {
    int made = 0;
    return hearth_gcm_begin(context, nonce, data, 1) && hearth_cipher_update(context, text, count)
        && EVP_CipherFinal_ex(context, (unsigned char *)tag, &made) == 1
        && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1;
}

/// The reverse: 1 when the tag is right. When it is not, `text` holds what nobody may read.
static inline int hearth_gcm_open(
    EVP_CIPHER_CTX *context, const void *nonce, hearth_associated data, void *text, int count, void *tag) {
    int made = 0;
    unsigned char none[16];
    return hearth_gcm_begin(context, nonce, data, 0) && hearth_cipher_update(context, text, count)
        && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, tag) == 1
        && EVP_CipherFinal_ex(context, none, &made) == 1;
}

/// AES in counter mode in place, from a first counter block of 16 bytes.
static inline int hearth_ctr_apply(EVP_CIPHER_CTX *context, const void *counter, void *text, int count) {
    return EVP_CipherInit_ex(context, NULL, NULL, NULL, (const unsigned char *)counter, 1) == 1
        && hearth_cipher_update(context, text, count);
}

/// HMAC-SHA1 under one key: both hashes with the padded key already in them. OpenSSL's own HMAC allocates per message.
typedef struct {
    SHA_CTX inner, outer;
} hearth_hmac;

/// `count` is at most 64, the block of SHA-1.
static inline void hearth_hmac_key(hearth_hmac *hmac, const void *key, size_t count) {
    unsigned char pad[64] = {0};
    memcpy(pad, key, count);
    for (int i = 0; i < 64; i++) pad[i] ^= 0x36;
    SHA1_Init(&hmac->inner);
    SHA1_Update(&hmac->inner, pad, 64);
    for (int i = 0; i < 64; i++) pad[i] ^= 0x36 ^ 0x5c;
    SHA1_Init(&hmac->outer);
    SHA1_Update(&hmac->outer, pad, 64);
    OPENSSL_cleanse(pad, 64);
}

/// The 20 bytes over a message and what follows it; `more` may be empty.
static inline void hearth_hmac_sum(
    const hearth_hmac *hmac, const void *message, size_t count, const void *more, size_t more_count, void *sum) {
    SHA_CTX hash = hmac->inner;
    unsigned char inner[20];
    SHA1_Update(&hash, message, count);
    if (more_count > 0) SHA1_Update(&hash, more, more_count);
    SHA1_Final(inner, &hash);
    hash = hmac->outer;
    SHA1_Update(&hash, inner, 20);
    SHA1_Final((unsigned char *)sum, &hash);
}

// MARK: DTLS

/// A context of DTLS 1.2 alone: no renegotiation, tickets or session cache, nobody else's configuration file.
static inline SSL_CTX *hearth_dtls_context(void) {
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    SSL_CTX *context = SSL_CTX_new(DTLS_method());
    if (!context) return NULL;
    SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION);
    SSL_CTX_set_options(
        context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_QUERY_MTU);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return context;
}

static inline int hearth_dtls_set_groups(SSL_CTX *context, const char *groups) {
    return (int)SSL_CTX_set1_groups_list(context, groups);
}

static inline void hearth_dtls_set_certificate_limit(SSL_CTX *context, long bytes) {
    SSL_CTX_set_max_cert_list(context, bytes);
}

/// Sets the length of datagrams; the buffer they are written in need not hold the 16 KB that a record may have.
static inline void hearth_dtls_set_mtu(SSL *session, long bytes) {
    SSL_set_mtu(session, bytes);
    SSL_set_max_send_fragment(session, bytes);
}

/// Microseconds until a flight is to be sent again, by OpenSSL's clock; -1 when nothing waits for an answer.
static inline int64_t hearth_dtls_timeout(SSL *session) {
    struct timeval left;
    if (DTLSv1_get_timeout(session, &left) != 1) return -1;
    return (int64_t)left.tv_sec * 1000000 + left.tv_usec;
}

static inline int hearth_dtls_handle_timeout(SSL *session) { return (int)DTLSv1_handle_timeout(session); }

static inline void hearth_bio_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void hearth_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }

/// The number of the last error's reason, as in `SSL_R_…`; those of alerts that a peer sent begin at 1000.
static inline int hearth_error_reason(unsigned long code) { return ERR_GET_REASON(code); }

static inline EVP_PKEY *hearth_generate_p256(void) { return EVP_EC_gen("P-256"); }

#endif
