// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_EMBEDDED_H
#define TASKHOLD_API_EMBEDDED_H

#include <stddef.h>

/* Files of the repository as they were at build time; those in JSON are made from api/openapi.yaml.
 */
extern const unsigned char embed_openapi_json[];
extern const size_t embed_openapi_json_len;
extern const unsigned char embed_openapi_3_0_json[];
extern const size_t embed_openapi_3_0_json_len;
extern const unsigned char embed_openapi_yaml[];
extern const size_t embed_openapi_yaml_len;
extern const unsigned char embed_postman_json[];
extern const size_t embed_postman_json_len;
extern const unsigned char embed_docs_index_html[];
extern const size_t embed_docs_index_html_len;
extern const unsigned char embed_docs_init_js[];
extern const size_t embed_docs_init_js_len;
extern const unsigned char embed_docs_page_css[];
extern const size_t embed_docs_page_css_len;
extern const unsigned char embed_docs_plain_html[];
extern const size_t embed_docs_plain_html_len;

/* Swagger UI, compressed with gzip. Of no length in a build without it. */
extern const unsigned char embed_docs_swagger_js[];
extern const size_t embed_docs_swagger_js_len;
extern const unsigned char embed_docs_swagger_css[];
extern const size_t embed_docs_swagger_css_len;

#endif
