// SPDX-License-Identifier: MIT
/* Rows of src/api/routes.c. */
ROW(GET, "/v1/samples", listSamples, items_list, JSON, NOTHING, TOKEN, READ, API, 0,
    .subject = &sample_resource, .query = true, .values = items_list_values),
    ROW(POST, "/v1/samples", createSample, items_write, JSON, BODY, TOKEN, WRITE, API, 0,
        .subject = &sample_resource),
    ROW(GET, "/v1/samples/{id}", getSample, items_get, JSON, NOTHING, TOKEN, READ, API, 0,
        .subject = &sample_resource, .values = conditions_values),
    ROW(PUT, "/v1/samples/{id}", replaceSample, items_write, JSON, BODY, TOKEN, WRITE, API, 0,
        .subject = &sample_resource),
    ROW(PATCH, "/v1/samples/{id}", updateSample, items_write, JSON, PATCHES, TOKEN, WRITE, API, 0,
        .subject = &sample_resource),
    ROW(DELETE, "/v1/samples/{id}", deleteSample, items_write, NULL, NOTHING, TOKEN, WRITE, API, 0,
        .subject = &sample_resource, .values = items_delete_values),
