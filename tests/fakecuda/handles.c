/*
 * handles.c - the memory behind handles.
 *
 * Each type has its own list of freed blocks, and memory never goes back to
 * the system: a stale handle can be looked at and is seen to be dead, and a new
 * object gets the address of the one freed last, as with the real driver.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fakecuda/fake.h"

static pthread_mutex_t handle_lock = PTHREAD_MUTEX_INITIALIZER;
static struct fk_head *freed[FK_TYPES];

void *fk_new(enum fk_type type, size_t size)
{
	struct fk_head *head;

	pthread_mutex_lock(&handle_lock);
	head = freed[type];
	if (head)
		freed[type] = head->next_free;
	pthread_mutex_unlock(&handle_lock);
	if (!head)
		head = malloc(size);
	if (!head)
		return NULL;
	memset(head, 0, size);
	head->type = type;
	head->magic = FK_MAGIC | (uint32_t)type;
	return head;
}

void fk_delete(void *handle)
{
	struct fk_head *head = handle;

	pthread_mutex_lock(&handle_lock);
	head->magic = 0;
	head->next_free = freed[head->type];
	freed[head->type] = head;
	pthread_mutex_unlock(&handle_lock);
}
