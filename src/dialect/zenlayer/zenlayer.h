/* Zenlayer Cloud API 2.0, service `zec`, versions 2024-04-01 and 2025-09-01. */
#ifndef OSTLER_DIALECT_ZENLAYER_H
#define OSTLER_DIALECT_ZENLAYER_H

#include "api/dialect.h"

extern const struct dialect dialect_zenlayer;

#endif
