#ifndef TASKHOLD_API_EMBEDDED_H
#define TASKHOLD_API_EMBEDDED_H

#include <stddef.h>

/* Files of the repository as they were at build time. */
extern const unsigned char embed_openapi_json[];
extern const size_t embed_openapi_json_len;
extern const unsigned char embed_openapi_yaml[];
extern const size_t embed_openapi_yaml_len;
extern const unsigned char embed_postman_json[];
extern const size_t embed_postman_json_len;

#endif
